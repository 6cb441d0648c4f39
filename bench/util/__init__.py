"""Utilities for every part of the harness: units, specs, cache, files and texts; independent of any problem."""
