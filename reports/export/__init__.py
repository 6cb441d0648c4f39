"""Results for other programs: CSV, Parquet, benchopt and Markdown."""
