"""What people look at: data laid on a grid, locally linear embedding, and the gallery of all pictures."""
