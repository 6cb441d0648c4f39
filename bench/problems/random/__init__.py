"""Problems with random costs, one family per file."""
