"""Cumulative registers: how far a dial has gone between two reads.

A register counts up and begins again at zero after its last digit. Refuses to know whose register
it is, and that meters are exchanged: both reads are of the same dial.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from kernel.money import EXACT

DIGITS_MAX = 15
"""The most digits before the decimal point; dials have 5 to 9."""
DECIMALS_MAX = 6


@dataclass(frozen=True, slots=True)
class Advance:
    """What a dial went by, in its own unit; a `fall` is negative."""

    amount: Decimal
    kind: Literal["rise", "rollover", "fall"]


def advance(previous: Decimal, current: Decimal, digits: int) -> Advance:
    """From one read to the next of a dial with `digits` before its decimal point.

    A drop of more than half the dial is a rollover: 999950 → 120 on six digits is 170. A lesser
    drop is a fall, most likely a read that was mistaken: counted as it is, it takes back exactly
    what the mistaken read had added. ValueError for what the dial cannot show.
    """
    size = Decimal(1).scaleb(digits)
    if not (1 <= digits <= DIGITS_MAX and 0 <= previous < size and 0 <= current < size):
        raise ValueError(f"{previous} and {current} are not both on a dial of {digits} digits")
    amount = EXACT.subtract(current, previous)
    if amount >= 0:
        return Advance(amount, "rise")
    if 2 * -amount > size:
        return Advance(EXACT.add(amount, size), "rollover")
    return Advance(amount, "fall")
