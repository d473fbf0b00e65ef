"""What a process that runs on writes to standard error: one JSON object a line, with time and level."""

import logging
import sys


def write_journal() -> None:
    """From now on. Libraries are heard from the level of warnings on."""
    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info, structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )  # fmt: skip
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
