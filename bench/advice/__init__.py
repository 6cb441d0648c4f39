"""Advice on which solver to use: features of a problem, a performance model, the advisor and its evaluation."""
