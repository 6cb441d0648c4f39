/* One source, several builds: an exported function's name in this one. NAME(jv) -> jv_f32_avx2. */
#ifndef LAPMARK_NAMES_H
#define LAPMARK_NAMES_H

#define LAPMARK_JOIN(name, variant) name##_##variant
#define LAPMARK_NAME(name, variant) LAPMARK_JOIN(name, variant)
#define NAME(name) LAPMARK_NAME(name, VARIANT)

#endif
