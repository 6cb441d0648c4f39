"""Data of one's own on a grid: read, embedded, laid out, and drawn as one picture. `lapmark map` is made of this."""
