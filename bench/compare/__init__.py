"""Comparison of two sets of results, and the gate that measures and compares two commits."""
