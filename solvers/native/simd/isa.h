/* Instruction sets that the kernels are compiled for, the best one last. The build writes the list, one
 * INSTRUCTION_SET(upper, lower) for each; simd/<lower>.h holds the operations. */
#pragma once

#include "instruction_sets.h"

#define INSTRUCTION_SET(upper, lower) ISA_##upper,
typedef enum isa { INSTRUCTION_SETS ISA_COUNT } isa_t;
#undef INSTRUCTION_SET
