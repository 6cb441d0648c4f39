"""What every part of the harness may use: units, specs, the cache, safe texts. Nothing here knows a solver or a problem."""
