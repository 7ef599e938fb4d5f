"""Logs as JSON lines on standard error, with what belongs to a call bound to each of them."""

from __future__ import annotations

import sys

import structlog


def log_as_json() -> None:
    """Sets up this process's logs; what `structlog.contextvars` holds is in every line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
