"""The study of locally linear embedding: images embedded in the plane, and what is lost on the way there and back."""
