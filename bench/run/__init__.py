"""A run: its cells, the order in which they are measured, and how each is measured and certified, here or on a cluster."""
