"""Tiers of a period: the rates and limits that a record's structures have in common."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from gridtally.kernel.errors import Fault
from gridtally.urdb.record import Period, Record, invalid, limit_at

Price = Literal["rate", "sell"]


def tiers_of(record: Record, tiers: Period, path: str, price: Price) -> list[dict[str, object]]:
    """A period's tiers with rates and limits; energy sold is paid for, which is a negative rate.

    Rejected for a period without a tier, and for a limit that is missing below the last.
    """
    if not tiers:
        raise invalid([Fault(path, "a period without a tier")])
    priced: list[dict[str, object]] = []
    for tier_index, tier in enumerate(tiers):
        at = f"{path}/{tier_index}"
        rate = _price(record, tier, at, price)
        limit = limit_at(tier, at)
        if tier_index == len(tiers) - 1:
            if limit is not None:
                record.note(
                    "convention", f"{at}/max", f"the last tier ends at {limit:f}: read as no limit"
                )
            limit = None
        elif limit is None:
            raise invalid([Fault(f"{at}/max", "is needed: another tier follows")])
        priced.append({"rate": format(rate + 0, "f")} | _limit_field(limit))
    return priced


def tiers_in_blocks(
    record: Record, tiers: Period, path: str, price: Price
) -> list[dict[str, object]]:
    """A period's tiers in kWh, within blocks that end at so many kWh per kW.

    Convention, that of NREL's SAM: a tier in kWh/kW begins a block, and the tiers in kWh after it
    divide the block in its place; those before any block divide the first. Rejected as `tiers_of`.
    """
    if not tiers:
        raise invalid([Fault(path, "a period without a tier")])
    begins_block = [is_per_kw(tier) for tier in tiers]
    block = begins_block.index(True) if any(begins_block) else None
    priced: list[dict[str, object]] = []
    for tier_index, tier in enumerate(tiers):
        at = f"{path}/{tier_index}"
        if begins_block[tier_index]:
            block = tier_index
            if not all(begins_block[tier_index : tier_index + 2]):  # tiers in kWh divide it
                record.note("convention", at, "the tiers in kWh after it are charged in its place")
                continue
        per_kw = None if block is None else limit_at(tiers[block], f"{path}/{block}")
        limit = None if begins_block[tier_index] else limit_at(tier, at)
        limits = _limit_field(limit) | _limit_field(per_kw, "limit_per_kw")
        if tier_index == len(tiers) - 1:
            if limits:
                shown = " and ".join(map(str, limits.values()))
                record.note(
                    "convention", f"{at}/max", f"the last tier ends at {shown}: read as no limit"
                )
            limits = {}
        elif not limits:
            raise invalid([Fault(f"{at}/max", "is needed: another tier follows")])
        priced.append({"rate": format(_price(record, tier, at, price) + 0, "f")} | limits)
    return priced


def has_price(tier: Mapping[str, Any]) -> bool:
    """Whether a tier says what it costs, be it nothing."""
    return tier.get("rate") is not None or tier.get("adj") is not None


def is_per_kw(tier: Mapping[str, Any]) -> bool:
    """Whether a tier's maximum is in kWh per kW."""
    return "/kw" in str(tier.get("unit") or "").lower()


def _price(record: Record, tier: Mapping[str, Any], path: str, price: Price) -> Decimal:
    """What a kWh of a tier costs; energy sold is paid for, which is a negative rate."""
    if price == "sell":
        return -_rate(record, tier, "sell", path)
    if not has_price(tier):
        record.note("not_understood", f"{path}/rate", "is missing: read as 0")
    return _rate(record, tier, "rate", path) + _rate(record, tier, "adj", path)


def _limit_field(limit: Decimal | None, name: str = "limit") -> dict[str, object]:
    """A tier's limit in JSON, absent where there is none."""
    return {} if limit is None else {name: format(limit.normalize(), "f")}


def _rate(record: Record, tier: Mapping[str, Any], name: str, path: str) -> Decimal:
    value = tier.get(name)
    return Decimal(0) if value is None else record.rate(value, f"{path}/{name}")
