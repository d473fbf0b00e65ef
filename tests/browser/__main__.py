"""Serve the sample pages to look at: `python -m tests.browser [PORT] [--empty]`."""

import sys

import uvicorn

from comity.entrypoints.web import create_app
from tests.browser.sample_case import NOW
from tests.browser.sample_desk import SampleDesk

if __name__ == "__main__":
    port = int(next((word for word in sys.argv[1:] if word.isdigit()), "8099"))
    app = create_app(SampleDesk(cases_exist="--empty" not in sys.argv), node_name="Canada", now=lambda: NOW)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
