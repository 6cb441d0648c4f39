"""Problems that slow down or break solvers, one family per file: ties, rounding, forbidden pairs, hostile inputs."""
