"""Problems of applications, one family per file."""
