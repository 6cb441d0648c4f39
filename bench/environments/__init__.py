"""Environments and their solvers.

`virtual_environments` makes, lists and removes environments, `inventory` lists the solvers of one interpreter with
their versions, and `available_solvers` says where each solver runs.
"""
