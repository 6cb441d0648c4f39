"""Solvers of the transport problem, one file each; importing a file registers its solver."""
