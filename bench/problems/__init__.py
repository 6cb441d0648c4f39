"""Families of problems, one file each: functions that build an instance from a size, a seed and settings.

`random` has random costs, `hard` has costs that are known to slow down or break solvers, `applied` has the problems of
applications. A file registers its family with the decorator `family`. What it builds is a pure function of the
arguments, so that a worker or another machine builds the same problem.
"""

from .case import Case
from .family import Family, FloatType, check_only_instance, families, family, get
from .family_fault import FamilyFault

__all__ = ["Case", "Family", "FamilyFault", "FloatType", "check_only_instance", "families", "family", "get"]
