"""The history of a project: results of its main branch, commit by commit, and numbers that other tools measured."""
