"""Energy: whole watt-hours, and kilowatt-hours as the decimal that people read.

Refuses floats.
"""

from decimal import Decimal

INTERVAL_WH_MAX = 2**31 - 1
"""The most that one interval may carry: stored as a four-byte integer."""


def kwh(energy_wh: int) -> Decimal:
    """Whole watt-hours as kWh, exactly."""
    return Decimal(energy_wh).scaleb(-3)
