"""Problems that are hard on solvers, one family per file: ties, cancellation, forbidden pairs, adversarial structures."""
