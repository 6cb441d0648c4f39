"""Transport solvers of other people, one file each; importing a file registers its solver."""
