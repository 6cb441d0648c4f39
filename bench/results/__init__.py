"""What was measured: the record of a cell, and the store that keeps records."""
