/* The kernels of every instruction set that is compiled in, and the choice between them at run time. */
#include "dispatch/kernels.h"

#include <string.h>

#define INSTRUCTION_SET(upper, lower) extern const kernels_t kernels_##lower;
INSTRUCTION_SETS
#undef INSTRUCTION_SET

static const kernels_t *const tables[ISA_COUNT] = {
#define INSTRUCTION_SET(upper, lower) [ISA_##upper] = &kernels_##lower,
    INSTRUCTION_SETS
#undef INSTRUCTION_SET
};

const kernels_t *find_kernels(isa_t isa) { return isa < ISA_COUNT && tables[isa]->is_supported() ? tables[isa] : NULL; }

isa_t find_isa(const char *name) {
    isa_t isa = 0;
    while (isa < ISA_COUNT && strcmp(tables[isa]->name, name) != 0) {
        isa++;
    }
    return isa;
}

const kernels_t *look_up_kernels(const char *isa) { return tables[find_isa(isa)]; }
