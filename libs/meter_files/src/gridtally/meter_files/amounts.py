"""Numbers of a file as whole Wh: exact, in any unit and with any decimal mark.

Owns what becomes of fractions of a Wh, which files in kWh of four decimals or in average kW have:
they are carried into the next interval of the same day, so that each day's sum is right to half a
Wh, and the same day comes out the same from every file that has it whole.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridtally.files.numbers import not_a_number
from gridtally.meter_files.channels import ABSENT, FileError, Wh

Unit = Literal["Wh", "kWh", "MWh", "W", "kW", "MW", "varh", "kvarh", "var", "kvar"]
DecimalMark = Literal[".", ","]
ThousandsMark = Literal["", ".", ",", " ", "'"]
DECIMALS_MAX = 9
SCALED_MAX = 2**53
"""Far above any energy, and far below where sums of a day would overflow."""
_PER_UNIT: dict[Unit, int] = {
    "Wh": 1, "kWh": 1_000, "MWh": 1_000_000, "varh": 1, "kvarh": 1_000,
    "W": 1, "kW": 1_000, "MW": 1_000_000, "var": 1, "kvar": 1_000,
}  # fmt: skip
REACTIVE_UNITS: tuple[Unit, ...] = ("varh", "kvarh", "var", "kvar")
POWER: tuple[Unit, ...] = ("W", "kW", "MW", "var", "kvar")
"""Units of average power: the energy of an interval is power × its hours."""
MISSING = frozenset({"", "-", "--", "n/a", "na", "nan", "null", "none", "#n/a", "n.a.", "missing"})
"""How files say that there is no value, in small letters."""
MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class NumberForm:
    """How numbers are written."""

    decimal_mark: DecimalMark = "."
    thousands_mark: ThousandsMark = ""

    def pattern(self) -> re.Pattern[str]:
        """Matches such a number: its sign, its whole part and its decimals."""
        mark = re.escape(self.thousands_mark)
        if self.thousands_mark == " ":
            mark = "[ \u00a0\u202f]"
        grouped = f"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+|" if mark else ""
        return re.compile(
            rf"([+-]?)({grouped}[0-9]*)(?:{re.escape(self.decimal_mark)}([0-9]+))?"
            r"(?:[eE]([+-]?[0-9]{1,2}))?"
        )


def wh_of(unit: Unit, minutes: int) -> Fraction:
    """What one of a unit is in Wh (varh), over an interval."""
    hours = Fraction(minutes, MINUTES_PER_HOUR) if unit in POWER else Fraction(1)
    return _PER_UNIT[unit] * hours


class Numbers:
    """Reads numbers of one form; each different text once, since files repeat few of them."""

    def __init__(self, form: NumberForm) -> None:
        self._pattern = form.pattern()
        self._marks = str.maketrans("", "", f"{form.thousands_mark}\u00a0\u202f '")
        self._known: dict[str, tuple[int, int] | None] = {}

    def read(self, text: str) -> tuple[int, int] | None:
        """A number as (digits, decimals), None for a missing one; ValueError for what is none."""
        if text not in self._known:
            self._known[text] = self._read(text.strip())
        return self._known[text]

    def _read(self, text: str) -> tuple[int, int] | None:
        if text.lower() in MISSING:
            return None
        parts = self._pattern.fullmatch(text)
        if parts is None or not (parts[2] or parts[3]):
            raise ValueError(not_a_number(text))
        decimals = (parts[3] or "").rstrip("0")
        digits = int(f"{parts[1]}{parts[2].translate(self._marks)}{decimals}" or "0")
        scale = len(decimals) - int(parts[4] or 0)
        if scale < 0:
            digits, scale = digits * 10**-scale, 0
        if scale > DECIMALS_MAX:
            raise ValueError(f"is {text[:40]!r}: has more than {DECIMALS_MAX} decimals")
        return digits, scale


def whole_wh(
    numbers: Sequence[tuple[int, int] | None], factor: Fraction, days: NDArray[np.int64]
) -> tuple[Wh, bool]:
    """Numbers (digits, decimals) × `factor` as whole Wh, ABSENT for None, and whether some had
    fractions of a Wh; `days` says which of them are of one day, and rises.

    With fractions the n-th value is round(sum of n) - round(sum of n - 1) of its day.
    """
    scale = max((number[1] for number in numbers if number is not None), default=0)
    factor *= Fraction(1, 10**scale)
    scaled = [
        0 if number is None else number[0] * 10 ** (scale - number[1]) * factor.numerator
        for number in numbers
    ]
    if max(map(abs, scaled), default=0) > SCALED_MAX:
        raise FileError("a value is larger than any meter counts: is the unit right?")
    exact = np.array(scaled, np.int64)
    values, rests = np.divmod(exact, factor.denominator)
    has_fractions = bool(rests.any())
    if has_fractions:
        values += _carried(rests, factor.denominator, days)
    values[[number is None for number in numbers]] = ABSENT
    return values, has_fractions


def _carried(rests: Wh, denominator: int, days: NDArray[np.int64]) -> Wh:
    """What each value gets of the fractions up to it, of its day: only these are summed, so sums
    stay small however large the values are."""
    sums = np.cumsum(rests)
    begins = np.flatnonzero(np.diff(days, prepend=days[0] - 1))
    before = np.repeat(
        sums[begins] - rests[begins], np.diff(np.append(begins, len(days)))
    )  # what earlier days summed up to
    rounded = (sums - before + denominator // 2) // denominator
    earlier = np.concatenate(([0], rounded[:-1]))
    earlier[begins] = 0
    return np.asarray(rounded - earlier, np.int64)
