"""C kernels, compiled once per instruction set, and their Cython bindings; README.md is the map."""
