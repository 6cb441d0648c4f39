"""The machine and its processes: process trees, limits, locks, facts and load of the machine, git, builds."""
