"""Which solvers exist, here and in other Python environments, and in which versions."""
