"""Reports: tables, figures and pages of what a run has measured.

`tables`, `profiles`, `scaling` and `verdicts` compute the contents; `style` and `format` say how it looks; `charts` and
`pictures` draw it; `page` and `map` make HTML of it; `export` writes it for other programs. Nothing here runs a solver
in this process.
"""
