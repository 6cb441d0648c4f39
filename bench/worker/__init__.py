"""One cell in a worker process.

`isolated_run` starts the worker under `limits`, `measuring_loop` orders its calls (`calls`) and follows its events
(`monitor`), `protocol` is what goes over the wire, and `clock_check` holds the times that it states against ours.
`worker` runs in the process itself.
"""
