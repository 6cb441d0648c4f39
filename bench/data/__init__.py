"""Data from files: the data sets that problems are made of, word vectors, and the readers of what a user brings."""
