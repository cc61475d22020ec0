"""Reactive energy: which of it counts, apparent power, and the power factor, in whole numbers.

Owns how kvar that are drawn and kvar that are fed in become one number, and where a root is
rounded: kVA to whole VA, a power factor to declared decimals, both half up. No root is a float.
"""

from fractions import Fraction
from math import isqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridtally.rating.usage import ReactiveFlow

Reactive = Literal["import", "export", "net", "higher"]
"""Which reactive energy counts: drawn, fed in, the difference of both or the higher of both."""
FLOWS_OF: dict[Reactive, tuple[ReactiveFlow, ...]] = {
    "import": ("reactive_import",),
    "export": ("reactive_export",),
    "net": ("reactive_import", "reactive_export"),
    "higher": ("reactive_import", "reactive_export"),
}
KVA_DECIMALS = 3
ROOT_OF_INT64_MAX = 2**31
Squares = NDArray[Any]
"""Squares of power, in integers of 64 bits or, where these would not do, of any size."""


def combined(reactive: Reactive, energies: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """What counts of the energies of the flows that `FLOWS_OF` names, without its sign."""
    if reactive == "net":
        drawn, fed_in = energies
        return np.abs(np.subtract(drawn, fed_in))
    higher: NDArray[np.int64] = np.maximum.reduce(energies)
    return higher


def squares_of(active: NDArray[np.int64], reactive: NDArray[np.int64]) -> Squares:
    """P² + Q²: it is highest where the apparent power is, and exact where that is not."""
    most = max(int(np.abs(power).max(initial=0)) for power in (active, reactive))
    if most >= ROOT_OF_INT64_MAX:
        wide: Squares = np.square(active.astype(object)) + np.square(reactive.astype(object))
        return wide
    return active * active + reactive * reactive


def thousandths_of_kva(square: int, kw_per_unit: Fraction) -> int:
    """The root of P² + Q² as whole VA, half up, where 1 of P and Q is `kw_per_unit`.

    floor(x / B + 1/2) with x = √(N A²): the floor of the root will do, since 2 x + B is divided by
    the whole number 2 B.
    """
    up = kw_per_unit.numerator * 10**KVA_DECIMALS
    down = kw_per_unit.denominator
    return (isqrt(4 * square * up * up) + down) // (2 * down)


def power_factor(active: int, reactive: int, decimals: int) -> int:
    """P / √(P² + Q²) × 10^decimals, rounded half up; 1 where there is no energy at all.

    The highest r with (2 r − 1)² (P² + Q²) ≤ 4 P² 10^(2 decimals).
    """
    square = active * active + reactive * reactive
    if not square:
        return int(10**decimals)
    return (isqrt(4 * active * active * 10 ** (2 * decimals) // square) + 1) // 2
