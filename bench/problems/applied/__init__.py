"""Problems that applications pose, one family per file."""
