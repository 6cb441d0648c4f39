"""What the entropic solvers share: set-up, kernel sums, iteration, divergence."""
