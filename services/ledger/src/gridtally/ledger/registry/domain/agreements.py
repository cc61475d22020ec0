"""Agreements, as far as the registry must know what meters are billed for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from gridtally.kernel.errors import Conflict, Fault

NAMED_MAX = 20
"""Agreements that a refusal names."""


@dataclass(frozen=True, slots=True)
class MeterAgreement:
    """That a meter is billed from one local date up to another; open where `end_on` is None, and
    cancelled where both are the same day."""

    id: UUID
    meter_id: UUID
    start_on: date
    end_on: date | None

    def is_live(self, today: date) -> bool:
        """Whether it has days today or later."""
        return self.end_on is None or (self.end_on > today and self.end_on > self.start_on)


def require_unbilled(agreements: Sequence[MeterAgreement], today: date) -> None:
    """Conflict, with what uses them, where a live agreement bills one of the meters."""
    live = sorted(
        (agreement for agreement in agreements if agreement.is_live(today)),
        key=lambda agreement: (agreement.start_on, agreement.id),
    )
    if live:
        faults = tuple(
            Fault(
                f"/agreements/{agreement.id}",
                f"bills meter {agreement.meter_id} from {agreement.start_on} to "
                f"{agreement.end_on or 'an open end'}",
            )
            for agreement in live[:NAMED_MAX]
        )
        raise Conflict(
            "meter_billed", f"{len(live)} agreements bill what would go: end them first", faults
        )
