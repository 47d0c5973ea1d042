"""Logging: one JSON object a line, or coloured lines for a terminal."""

from __future__ import annotations

from typing import Any

import structlog

FORMATS = ("json", "console")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# These say of every task that it was sent, received and done: some thirty lines a minute when all is well.
PER_TASK = ("celery.beat", "celery.worker.strategy", "celery.app.trace")

# These write addresses, among which are secrets, where they say what they do.
OUTBOUND = ("apprise", "httpcore", "httpx", "urllib3")

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def configure_structlog() -> None:
    """Send structlog's events through the standard library's handlers, so that one format holds for all."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def logging_settings(*, form: str, level: str) -> dict[str, Any]:
    """Return Django's LOGGING for one format and one level."""
    renderer: list[Any]
    if form == "json":
        renderer = [_tracebacks(), structlog.processors.JSONRenderer()]
    else:
        renderer = [
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
        ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would print an error twice, or only mail it.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            **{name: {"level": "WARNING" if level == "INFO" else level} for name in PER_TASK},
            **{name: {"level": "CRITICAL"} for name in OUTBOUND},
            "_granian": {"handlers": [], "propagate": True},
            "granian.access": {"handlers": [], "level": "INFO", "propagate": True},
        },
    }


def _tracebacks() -> structlog.processors.ExceptionRenderer:
    # Without the local variables, among which are keys and passwords.
    return structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    )
