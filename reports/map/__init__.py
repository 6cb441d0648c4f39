"""A map of things on the nodes of a grid: as a picture, as a page to zoom in, and as a table."""
