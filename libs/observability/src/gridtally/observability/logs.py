"""Logs: one JSON object per line on stderr, from structlog and from the libraries alike.

Owns the set-up and what must never appear in a line: the password in a URL, the secret in an API
key, a bearer token. Refuses to know what is logged. Whoever starts a process calls `configure`.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

_SECRETS = (
    (re.compile(r"(://[^:/@\s\"]*):[^@\s\"]+@"), r"\1:***@"),
    (re.compile(r"\bgt_([A-Za-z0-9]{1,12})_[A-Za-z0-9_-]+"), r"gt_\1_***"),
    (re.compile(r"(?i)\b(bearer)\s+[A-Za-z0-9._~+/=-]{16,}"), r"\1 ***"),
)
_QUIET = ("aiokafka", "asyncio", "httpx", "uvicorn")
"""Libraries that log nothing below WARNING that Gridtally does not log itself."""


def masked(line: str) -> str:
    """`line` with the secrets that it may have caught, in a URL or a header, struck out."""
    for pattern, replacement in _SECRETS:
        line = pattern.sub(replacement, line)
    return line


def configure(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log of this process to `stream` (stderr) as JSON, with the service's name."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Named(service),
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _MaskedJson(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _log_uncaught(
    kind: type[BaseException], failure: BaseException, trace: TracebackType | None
) -> None:
    log = structlog.get_logger(__name__)
    log.critical("process crashed", exc_info=(kind, failure, trace))


class _Named:
    """Adds the service's name to each line."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event["service"] = self._service
        return event


class _MaskedJson(structlog.processors.JSONRenderer):
    """The whole line as JSON, so that a secret in a message or a traceback is caught too."""

    def __call__(self, logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
        return masked(str(super().__call__(logger, name, event)))
