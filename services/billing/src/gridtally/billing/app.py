"""Billing put together: the one place that knows all its parts."""

from gridtally.billing.api import ROUTERS
from gridtally.billing.api.description import DESCRIPTION
from gridtally.billing.api.webhooks import Access
from gridtally.billing.consumers import adoptions, subscriptions
from gridtally.billing.loops import loops
from gridtally.billing.settings import Settings
from gridtally.service.dead_letters import with_dead_letters
from gridtally.service.service import Parts, Process, Service


def webhook_access(settings: Settings) -> Access:
    """What the API may do about webhooks."""
    key = settings.webhook_secret_key
    return Access(
        None if key is None else key.get_secret_value().encode(),
        is_http_allowed=bool(settings.webhook_networks_allowed),
    )


def build(process: Process[Settings]) -> Parts:
    """What a process of billing runs; its outbox is the relay's."""
    return with_dead_letters(
        process,
        Parts(
            routers=ROUTERS,
            subscriptions=subscriptions(process),
            loops=loops(process),
            state={"webhooks": webhook_access(process.settings)},
            api=DESCRIPTION,
            adoptions=adoptions(),
        ),
    )


SERVICE = Service("billing", __package__, Settings, build)
