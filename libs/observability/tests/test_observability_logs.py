"""Every line is one JSON object, from us and from libraries, and holds no secret."""

import io
import json
import logging
import sys
import warnings

import pytest
import structlog

from gridtally.observability.logs import configure, masked

SECRET = "hunter2" * 7


@pytest.fixture
def lines():
    """What is logged from here on, parsed."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure("billing", "INFO", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    sys.excepthook = sys.__excepthook__
    root.handlers[:] = handlers
    root.setLevel(level)


def test_ours_and_the_libraries_lines_have_the_same_form(lines):
    with structlog.contextvars.bound_contextvars(correlation_id="c-7", tenant_id="north"):
        structlog.get_logger("billing").info("issued", invoice="2025-1")
        logging.getLogger("sqlalchemy").warning("slow %s", "query")
    ours, theirs = lines()
    common = {"service": "billing", "correlation_id": "c-7", "tenant_id": "north"}
    assert ours.items() >= (common | {"event": "issued", "invoice": "2025-1"}).items()
    assert theirs.items() >= (common | {"event": "slow query", "logger": "sqlalchemy"}).items()
    assert ours["timestamp"].endswith("Z")


def test_chatter_is_left_out_and_warnings_are_caught(lines):
    structlog.get_logger().debug("not asked for")
    logging.getLogger("aiokafka.consumer").info("joined")
    logging.getLogger("aiokafka.consumer").warning("left")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.warn("old", UserWarning, stacklevel=1)
    assert [line["event"][:4] for line in lines()][:1] == ["left"]
    assert len(lines()) == 2


def test_an_exception_is_one_line_without_secrets(lines):
    try:
        raise ConnectionError(f"postgresql://billing:{SECRET}@db/billing")
    except ConnectionError:
        structlog.get_logger().exception("away", key=f"gt_abcdefgh_{SECRET}")
    (line,) = lines()
    assert "ConnectionError" in line["exception"]
    assert SECRET not in str(line)
    assert line["key"] == "gt_abcdefgh_***"


def test_what_nobody_caught_is_a_line_too(lines):
    try:
        raise ConnectionError(f"postgresql://billing:{SECRET}@db/billing")
    except ConnectionError as failure:
        sys.excepthook(ConnectionError, failure, failure.__traceback__)
    (line,) = lines()
    assert (line["event"], line["level"]) == ("process crashed", "critical")
    assert SECRET not in str(line)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("postgresql://u:p%40ss:w@host/db", "postgresql://u:***@host/db"),
        ("https://:p@host", "https://:***@host"),
        ("http://host:8000/a", "http://host:8000/a"),
        ("Authorization: Bearer abc.def-ghi_jkl=mno", "Authorization: Bearer ***"),
        ("gt_abcd1234_AbC-_9 and gt_x_y", "gt_abcd1234_*** and gt_x_***"),
        ("the bearer was late", "the bearer was late"),
        ("target_temperature_set", "target_temperature_set"),
    ],
)
def test_masked(line, shown):
    assert masked(line) == shown
