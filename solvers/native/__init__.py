"""C kernels, compiled once per instruction set, and their Cython bindings; README.md is the map."""

from typing import Literal

#: The instruction sets that there are kernels for; this processor has those in `_kernels.INSTRUCTION_SETS`.
InstructionSet = Literal["scalar", "avx2", "neon"]
