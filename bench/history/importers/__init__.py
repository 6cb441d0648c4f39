"""Files of other benchmarking tools, read as snapshots of a history: one tool, one module."""
