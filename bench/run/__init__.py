"""A run: its cells, their schedule, how one round is measured and certified, and where rounds run.

`configuration` reads the files in `configurations`, `cells` makes the cells, `schedule` orders their rounds,
`measure` and `certify` handle one round, and `local_run` or `cluster` runs them all.
"""
