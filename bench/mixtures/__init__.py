"""Gaussian mixtures: how far one is from another, and how it flows there.

The distance is that of J. Delon and A. Desolneux (SIAM J. Imaging Sciences 13 (2020) 936–970): components are moved
onto components at the squared Bures–Wasserstein distance, by exact transport between their weights.
"""

from .bures_distance import squared_distances
from .flow import Flow, flow

__all__ = ["Flow", "flow", "squared_distances"]
