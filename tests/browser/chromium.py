"""Where the machine's own Chromium is, if it has one."""

import shutil

MISSING = "BROWSER TESTS SKIPPED: no Chromium on this machine (Debian: apt-get install chromium)"


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
