"""Published tables: the figures of README and documents, measured in one go and written into the pages.

`measurements` says what is measured and keeps the results as small files in docs/measured; `published_tables` writes
them as Markdown; `pages` puts that between markers of the pages, and finds pages that say something else.
"""
