"""Where the browser is, for the tests that look at pages."""

from __future__ import annotations

import shutil

#: Chromium or Chrome, None where neither is installed.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
