"""The tariff service's composition root."""

from gridtally.contracts.catalogue import CalendarPublished, PricesPublished, RegionChanged
from gridtally.contracts.commerce import TariffPublished
from gridtally.messaging import Adoption
from gridtally.service.service import Parts, Process, Service
from gridtally.tariff.api import API, ROUTERS
from gridtally.tariff.handlers import adoption
from gridtally.tariff.loops import loops
from gridtally.tariff.settings import Settings

ADOPTIONS = (
    Adoption(RegionChanged, adoption.adopt_regions),
    Adoption(CalendarPublished, adoption.adopt_calendars),
    Adoption(TariffPublished, adoption.adopt_tariffs),
    Adoption(PricesPublished, adoption.adopt_prices),
)
"""The catalogue's own topics, in the order in which one rests on another."""


def build(process: Process[Settings]) -> Parts:
    """The API and its loop: the catalogue listens to nobody."""
    return Parts(routers=ROUTERS, loops=loops(process), api=API, adoptions=ADOPTIONS)


SERVICE = Service("tariff", __package__, Settings, build)
