"""Endings of the files that hold a map, and of those that hold the place of each item."""

PICTURES = (".png", ".svg", ".html")
TABLES = (".csv", ".json", ".npy", ".parquet")
