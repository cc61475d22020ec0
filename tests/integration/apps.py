"""The API of a service over what a test gives it.

FastAPI works out the routes of an app when they are first called, which takes most of a second for
one of ours. So the tests of a process share an app of each service, and each gives it its own
database, clock and limits; a test that has two of one service at once builds them itself.
"""

from types import MappingProxyType

from gridtally.http.api import build_app, equip
from gridtally.http.context import utc_now
from gridtally.observability.health import Health
from gridtally.observability.metrics import Metrics

_BUILT = {}


def app_of(title, routers, *, database, settings, clock=utc_now, state=MappingProxyType({})):
    """The app of a service, with these parts in place of those of the test before."""
    parts = {"database": database, "settings": settings, "clock": clock, "state": state}
    limits = settings.body_bytes_max, settings.bodies_bytes_max
    kind = title, tuple(map(id, routers)), limits  # who has the app has the routers, and their ids
    if kind in _BUILT:
        equip(_BUILT[kind], **parts)
    else:
        _BUILT[kind] = build_app(
            title=title,
            version="1",
            routers=routers,
            health=Health(),
            metrics=Metrics(title),
            **parts,
        )
    return _BUILT[kind]
