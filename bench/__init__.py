"""The harness: builds problems, runs solvers in processes of their own, certifies and records what they answer."""
