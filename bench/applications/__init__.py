"""Applications: a user's data laid on a grid, the study of locally linear embedding, and the list of the gallery."""
