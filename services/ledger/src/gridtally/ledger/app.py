"""The ledger's composition root, where its features meet."""

from gridtally.ledger.consumers import adoptions, subscriptions
from gridtally.ledger.description import DESCRIPTION
from gridtally.ledger.loops import loops
from gridtally.ledger.metering.analytics.store import definitions
from gridtally.ledger.metering.readings.store import readings
from gridtally.ledger.registry.store.meter_uses import MeterUses
from gridtally.ledger.routers import ROUTERS
from gridtally.ledger.settings import Settings
from gridtally.service.dead_letters import with_dead_letters
from gridtally.service.service import Parts, Process, Service

STATE = {
    "meter_uses": MeterUses(
        find_sum_of=definitions.find_sum_of,
        find_sum_left=definitions.find_sum_left,
        fetch_flows_read=readings.fetch_flows_read,
    )
}
"""What the routers' own dependencies find: what the registry asks the features above it."""


def build(process: Process[Settings]) -> Parts:
    """The API, the consumers and the loops; the outbox is the relay's."""
    return with_dead_letters(
        process,
        Parts(
            routers=ROUTERS,
            subscriptions=subscriptions(process),
            loops=loops(process),
            state=STATE,
            api=DESCRIPTION,
            adoptions=adoptions(),
        ),
    )


SERVICE = Service("ledger", __package__, Settings, build)
