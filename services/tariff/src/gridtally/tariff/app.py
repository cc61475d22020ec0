"""The tariff service's composition root."""

from gridtally.service.service import Parts, Process, Service
from gridtally.tariff.api import API, ROUTERS
from gridtally.tariff.loops import loops
from gridtally.tariff.settings import Settings


def build(process: Process[Settings]) -> Parts:
    """The API and its loop: the catalogue listens to nobody."""
    return Parts(routers=ROUTERS, loops=loops(process), api=API)


SERVICE = Service("tariff", __package__, Settings, build)
