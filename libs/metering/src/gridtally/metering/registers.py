"""Cumulative registers: the difference between two values that one register showed.

A register counts up and begins again at zero after its last digit. Refuses to know whose register
it is, and that meters are exchanged: both values are of the same register.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from gridtally.kernel.money import EXACT

DIGITS_MAX = 15
"""The most digits before the decimal point; meters have 5 to 9."""
DECIMALS_MAX = 6


@dataclass(frozen=True, slots=True)
class RegisterDifference:
    """What a register counted between two values, in its own unit; a `decrease` is negative."""

    amount: Decimal
    kind: Literal["rise", "rollover", "decrease"]


def register_range(digits: int, rollover_kwh: Decimal | None = None) -> Decimal:
    """The total at which a register begins again at zero: `rollover_kwh`, where it does so at
    another one than the power of ten after its last digit."""
    return Decimal(1).scaleb(digits) if rollover_kwh is None else rollover_kwh


def check_register(digits: int, decimals: int, rollover_kwh: Decimal | None) -> None:
    """ValueError for a register that there cannot be, or that contradicts itself."""
    if not (1 <= digits <= DIGITS_MAX and 0 <= decimals <= DECIMALS_MAX):
        raise ValueError(
            f"a register has 1 to {DIGITS_MAX} digits and up to {DECIMALS_MAX} decimals"
        )
    if rollover_kwh is None:
        return
    below = Decimal(1).scaleb(digits - 1) if digits > 1 else Decimal(0)
    if not below < rollover_kwh <= Decimal(1).scaleb(digits):
        raise ValueError(
            f"a register that begins again at {rollover_kwh} kWh does not have {digits} digits "
            "before the point: leave digits out, or say how many the highest total has"
        )
    if decimals_of(rollover_kwh) > decimals:
        raise ValueError(
            f"a register that begins again at {rollover_kwh} kWh has at least "
            f"{decimals_of(rollover_kwh)} decimals, not {decimals}: it counts in their steps"
        )


def digits_of(rollover_kwh: Decimal) -> int:
    """How many digits before the point the highest total has of a register that begins again
    there."""
    return max(1, (rollover_kwh.to_integral_value(ROUND_CEILING) - 1).adjusted() + 1)


def decimals_of(kwh: Decimal) -> int:
    """How many decimals a number has that are not zero at its end."""
    exponent = kwh.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def register_difference(
    previous: Decimal, current: Decimal, digits: int, rollover_kwh: Decimal | None = None
) -> RegisterDifference:
    """What a register with `digits` before its decimal point counted from one value to the next.

    It begins again at zero after its last digit, or at `rollover_kwh`: one that counts 2²³ pulses
    of 0.1 Wh does so at 838.8608 kWh.

    A drop of more than half of the register's range is a rollover: 999950 → 120 on six digits is
    170. A smaller drop is a `decrease`, most likely a mistaken reading: counted with its sign, it
    removes exactly what the mistaken reading had added. ValueError for a value that the register
    cannot show.
    """
    size = register_range(digits, rollover_kwh)
    if not (1 <= digits <= DIGITS_MAX and 0 <= previous < size and 0 <= current < size):
        raise ValueError(f"{previous} and {current} are not both on a register up to {size}")
    amount = EXACT.subtract(current, previous)
    if amount >= 0:
        return RegisterDifference(amount, "rise")
    if 2 * -amount > size:
        return RegisterDifference(EXACT.add(amount, size), "rollover")
    return RegisterDifference(amount, "decrease")
