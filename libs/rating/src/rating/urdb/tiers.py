"""Tiers of a period: the ladder of rates and limits that a record's structures have in common."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from kernel.errors import Fault
from rating.urdb.record import Period, Record, invalid, limit_at

Price = Literal["rate", "sell"]


def ladder_of(record: Record, tiers: Period, path: str, price: Price) -> list[dict[str, object]]:
    """The tiers with rates and limits; what is sold is paid for, which is a negative rate.

    Rejected for a period without a tier, and for a limit that is missing below the last.
    """
    if not tiers:
        raise invalid([Fault(path, "a period without a tier")])
    ladder: list[dict[str, object]] = []
    for place, tier in enumerate(tiers):
        at = f"{path}/{place}"
        if price == "sell":
            rate = -_rate(record, tier, "sell", at)
        else:
            rate = _rate(record, tier, "rate", at) + _rate(record, tier, "adj", at)
        limit = limit_at(tier, at)
        if place == len(tiers) - 1:
            if limit is not None:
                record.note(
                    "convention", f"{at}/max", f"the last tier ends at {limit:f}: read as no limit"
                )
            limit = None
        elif limit is None:
            raise invalid([Fault(f"{at}/max", "is needed: another tier follows")])
        ladder.append({"rate": format(rate + 0, "f")} | _limit_field(limit))
    return ladder


def _limit_field(limit: Decimal | None) -> dict[str, object]:
    """A tier's limit in JSON, absent where there is none."""
    return {} if limit is None else {"limit": format(limit.normalize(), "f")}


def _rate(record: Record, tier: Mapping[str, Any], name: str, path: str) -> Decimal:
    value = tier.get(name)
    return Decimal(0) if value is None else record.rate(value, f"{path}/{name}")
