"""C kernels, compiled once per instruction set, and their Cython binding."""
