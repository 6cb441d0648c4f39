"""A run on the workers of a Dask cluster: both sides of it, their messages, and a safe client."""
