"""Results: the record of a measured cell, the table of statuses, and the store that keeps records."""
