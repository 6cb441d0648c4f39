"""The report and the gallery as HTML pages that need no network."""
