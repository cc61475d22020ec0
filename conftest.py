"""What all tests share: none asserts how long it takes, each is named alike in every process."""

from hypothesis import HealthCheck, settings
from structlog.dev import ConsoleRenderer, plain_traceback

from examples import examples

settings.register_profile("untimed", examples(100), suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# structlog's own default draws the local variables of every frame, which takes seconds a traceback
ConsoleRenderer.get_active().exception_formatter = plain_traceback

NAME_LONGEST = 120


def pytest_make_parametrize_id(val: object) -> str | None:
    """Short names for files and long texts as parameters.

    A file made while tests are collected has the time in it: xdist's workers, each of which
    collects by itself, would disagree on the names and end the run. None leaves it to pytest.
    """
    if isinstance(val, bytes):
        return "bytes"
    return "text" if isinstance(val, str) and len(val) > NAME_LONGEST else None
