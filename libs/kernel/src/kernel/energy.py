"""Energy: whole watt-hours, and kilowatt-hours as the decimal that people read.

Refuses floats and refuses to round: what does not fit a whole watt-hour is an error.
"""

from decimal import Decimal

WH_PER_KWH = 1000
INTERVAL_WH_MAX = 2**31 - 1
"""The most that one interval may carry: stored as a four-byte integer."""


def kwh(energy_wh: int) -> Decimal:
    """Whole watt-hours as kWh, exactly."""
    return Decimal(energy_wh).scaleb(-3)


def wh_from_kwh(energy_kwh: Decimal) -> int:
    """kWh as whole watt-hours; ValueError where that would lose a fraction of one."""
    energy_wh = energy_kwh.scaleb(3)
    if energy_wh != energy_wh.to_integral_value():
        raise ValueError(f"{energy_kwh} kWh is not a whole number of watt-hours")
    return int(energy_wh)


def split_exactly(total_wh: int, weights: list[int]) -> list[int]:
    """`total_wh` in whole pieces by `weights` (≥ 0, not all 0), which add up to it exactly.

    The remainders go by cumulative flooring, so no piece is off by more than 1 Wh.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    pieces: list[int] = []
    given, weight_so_far = 0, 0
    for weight in weights:
        weight_so_far += weight
        upto = total_wh * weight_so_far // whole
        pieces.append(upto - given)
        given = upto
    return pieces
