"""What other features use meters for, which the registry must know before it takes one from them.

The registry lies below those features, so the composition root gives it the functions that read
it; they are called within the transaction of the change that they may refuse.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from gridtally.database import ReadConnection
from gridtally.kernel.errors import Conflict


@dataclass(frozen=True, slots=True)
class MeterUses:
    """The questions about a tenant's meters that other features answer."""

    find_sum_of: Callable[[ReadConnection, str, Sequence[UUID]], Awaitable[UUID | None]]
    """A derived meter, none of these, that is a sum of one of them at some time."""
    find_sum_left: Callable[[ReadConnection, str, UUID, UUID | None], Awaitable[UUID | None]]
    """A derived meter that would still be a sum of a meter of this property, or of one below it,
    once the property is below that parent and no longer below the derived meter's own property."""
    fetch_flows_read: Callable[[ReadConnection, str, UUID], Awaitable[set[str]]]
    """The flows of a meter that have readings."""

    async def require_removable(
        self, read: ReadConnection, tenant_id: str, meter_ids: Sequence[UUID]
    ) -> None:
        """Conflict where a derived meter that is none of these is a sum of one of them."""
        derived_id = await self.find_sum_of(read, tenant_id, meter_ids)
        if derived_id is not None:
            raise Conflict(
                "meter_in_use", f"the derived meter {derived_id} is a sum of what would go"
            )
