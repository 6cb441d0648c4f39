"""Two sets of results compared, and the gate that compares two commits."""
