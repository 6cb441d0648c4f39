"""Transport solvers of other packages, one file per package or algorithm; importing a file registers its solvers."""
