"""Maps of items on the nodes of a grid: as a picture, as a page to zoom into, and as a table."""
