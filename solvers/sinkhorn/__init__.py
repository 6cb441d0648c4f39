"""What the entropic solvers share: set-up, kernel sums, iteration, rounding to a matching, gradients.

The solvers themselves are in `lapmark.solvers.transport`. Nothing here imports a solver.
"""
