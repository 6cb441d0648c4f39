"""Our solvers of the assignment problem, one file each; importing a file registers its solver. `peers` has others'.

They share the step to a matrix with n ≤ m (`wide_matrix`), the refinement of answers that rounding has spoilt
(`matching_refinement`) and the lists of pairs below a cost limit (`cost_limit`).
"""
