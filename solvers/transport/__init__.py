"""Our solvers of the transport problem, one file each; importing a file registers its solver. `peers` has others'.

`histograms` solves small problems together, `plan_refinement` refines plans that rounding has spoilt.
"""
