"""Data from files: data sets, word vectors, and readers for the files of a user."""
