"""From the store to figures, tables and one self-contained page."""
