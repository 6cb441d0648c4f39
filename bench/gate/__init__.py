"""The gate: is a commit worse than another? What a project wants measured, the measuring, and reports for CI."""
