"""Benchmarks for asv: speed, memory, gap and work of the installed solvers, tracked over commits.

asv imports this folder as a package by itself, so modules of Lapmark are imported by their full names. The classes of
`assignment` are generated from the registry and the families; the other modules also print tables when run.
"""
