"""Costs and what follows from a cost alone: exact sums, the c-transform, and problems in one dimension."""
