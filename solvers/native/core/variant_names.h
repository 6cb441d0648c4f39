/* Names of functions that are compiled several times: once per instruction set (ISA) and, where a source is also
 * compiled per type, dimension or power of the cost, once per VARIANT. The build defines both. */
#pragma once

#define LAPMARK_JOIN(name, suffix) name##_##suffix
#define LAPMARK_NAME(name, suffix) LAPMARK_JOIN(name, suffix)

/* ISA_NAME(cascade_sparse) -> cascade_sparse_avx2, NAME(cascade_dense) -> cascade_dense_f32_avx2. */
#define ISA_NAME(name) LAPMARK_NAME(name, ISA)
#define NAME(name) ISA_NAME(LAPMARK_NAME(name, VARIANT))
