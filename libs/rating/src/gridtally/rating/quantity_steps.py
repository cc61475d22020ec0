"""Rounding of quantities: each interval's energy as a supplier rounds it before pricing it.

Works on whole numbers alone. Refuses steps that are not 1, 2 or 5 times a power of ten: every
meter's unit is then a whole multiple of the step, or the step of the unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.money import DECIMALS_MAX
from gridtally.rating.field_types import DecimalForm

QuantityMode = Literal["half_even", "half_up", "down", "up"]
STEP_FORM = DecimalForm(digits_max=3, decimals_max=DECIMALS_MAX)
LEADING_DIGITS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class QuantityRounding:
    """The energy of each interval is rounded to a multiple of a step before it is priced."""

    step_kwh: Annotated[Decimal, STEP_FORM]
    """The step in kWh, such as 0.01: 1, 2 or 5 times a power of ten."""
    mode: QuantityMode = "half_even"
    """To the nearest multiple, of two as near the even one or that away from 0; to 0; from 0."""
    minutes: Literal[5, 10, 15, 30, 60] | None = None
    """The length of the intervals that are rounded; usage in others is refused. Null for those of
    the usage, whatever they are."""

    def __post_init__(self) -> None:
        if self.mode not in get_args(QuantityMode):
            raise ValueError(f"mode {self.mode!r} is none of {', '.join(get_args(QuantityMode))}")
        digits = int("".join(map(str, self.step_kwh.normalize().as_tuple().digits)))
        if not STEP_FORM.fits(self.step_kwh) or digits not in LEADING_DIGITS:
            raise ValueError(
                f"step_kwh {self.step_kwh} must be 1, 2 or 5 times a power of ten, below "
                f"{STEP_FORM.below}, with at most {STEP_FORM.decimals_max} decimals"
            )

    def round(self, energy: NDArray[np.int64], kwh_decimals: Sequence[int]) -> NDArray[np.int64]:
        """Each interval's energy (meters × intervals) rounded, in the unit of each meter.

        A unit that is coarser than the step, or the same, leaves nothing to round.
        """
        steps = np.array([self._units(decimals) for decimals in kwh_decimals], np.int64)[:, None]
        whole, rest = np.divmod(np.abs(energy), steps)
        match self.mode:
            case "half_even":
                more = (2 * rest > steps) | ((2 * rest == steps) & (whole % 2 == 1))
            case "half_up":
                more = 2 * rest >= steps
            case "up":
                more = rest > 0
            case "down":
                more = np.zeros_like(rest, np.bool_)
        rounded: NDArray[np.int64] = np.sign(energy) * (whole + more) * steps
        return rounded

    def _units(self, kwh_decimals: int) -> int:
        """The step in units of so many decimals of a kWh; 1 where it is finer than they are."""
        return max(int(Fraction(self.step_kwh) * 10**kwh_decimals), 1)
