"""Registers as columns of a row."""

from decimal import Decimal
from functools import lru_cache

from gridtally.database.rows import Row
from gridtally.ledger.registry.domain.meters import ActiveFlow, Register


# A large answer repeats the same few registers: each is checked and made once.
@lru_cache(maxsize=4096)
def _register(
    flow: ActiveFlow,
    digits: int,
    decimals: int,
    multiplier: Decimal,
    rollover_kwh: Decimal | None,
) -> Register:
    return Register(flow, digits, decimals, multiplier, rollover_kwh)


def register_of(row: Row) -> Register:
    """The register of a row that has the columns of one."""
    return _register(
        row["flow"], row["digits"], row["decimals"], row["multiplier"], row["rollover_kwh"]
    )
