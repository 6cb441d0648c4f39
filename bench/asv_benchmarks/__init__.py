"""The asv benchmarks: speed, memory, gap and work of the installed solvers, tracked over commits.

The classes are generated from the registry and the families, so a new solver is tracked without an edit here, and a new
family once it is named.
"""
