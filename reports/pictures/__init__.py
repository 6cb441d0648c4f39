"""Pictures of answers, one file per application, and the albums in which a report and the gallery show them.

`table` says which function draws what, `canvas` has colours, figures and how they are saved, and `albums` solves a case
in a worker process, draws it and keeps its pictures.
"""
