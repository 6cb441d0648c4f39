"""Results for other programs and documents: CSV, Parquet, benchopt and Markdown."""
