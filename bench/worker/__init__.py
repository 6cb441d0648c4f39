"""One cell in a process of its own: the worker, what it and the harness say to each other, and how it is watched from outside."""
