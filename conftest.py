"""What all tests share: none asserts how long it takes, whatever else the machine does."""

from hypothesis import HealthCheck, settings
from structlog.dev import ConsoleRenderer, plain_traceback

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# structlog's own default draws the local variables of every frame, which takes seconds a traceback
ConsoleRenderer.get_active().exception_formatter = plain_traceback
