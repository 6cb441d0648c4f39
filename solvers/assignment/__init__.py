"""Solvers of the assignment problem, one file each; importing a file registers its solver."""
