"""Which solver to use: features of a problem, a model of what solvers take, and the advisor that rests on both."""
