"""Simulation's composition root."""

from gridtally.service.dead_letters import with_dead_letters
from gridtally.service.service import Parts, Process, Service
from gridtally.simulation.api import ROUTERS
from gridtally.simulation.api.description import DESCRIPTION
from gridtally.simulation.consumers import subscriptions
from gridtally.simulation.loops import loops
from gridtally.simulation.settings import Settings
from gridtally.simulation.store.services import Services


def build(process: Process[Settings]) -> Parts:
    """What a process of simulation runs; its outbox is the relay's."""
    settings = process.settings
    token = settings.service_token
    services = Services(
        settings.ingest_url,
        settings.tariff_url,
        None if token is None else token.get_secret_value(),
        trusted=settings.services_trusted,
    )
    return with_dead_letters(
        process,
        Parts(
            routers=ROUTERS,
            subscriptions=subscriptions(process, services),
            loops=loops(process),
            state={"services": services},
            api=DESCRIPTION,
        ),
    )


SERVICE = Service("simulation", __package__, Settings, build)
