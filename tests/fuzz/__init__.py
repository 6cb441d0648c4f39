"""Random structured problems against exact referees, for as long as one likes: `make fuzz`.

`problems` draws problems of every kind, `referees` solves them in whole numbers without any rounding, and `checks` says
what has to hold. A case is a pure function of its seed, which a failure names.
"""
