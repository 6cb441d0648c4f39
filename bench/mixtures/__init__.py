"""Gaussian mixtures: the distance between two of them, and the gradient flow of one to the other.

The distance is that of J. Delon and A. Desolneux (SIAM J. Imaging Sciences 13 (2020) 936–970): exact transport between
the weights of the components at their squared Bures–Wasserstein distances.
"""

from .bures_distance import squared_distances
from .flow import Flow, flow

__all__ = ["Flow", "flow", "squared_distances"]
