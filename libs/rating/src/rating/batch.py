"""A batch: meters that are rated at once, with all that is known of them while they are.

Owns sums of energy (exact: floats only carry integers below 2⁵³) and each meter's divisor. Refuses
missing values unless they may count as nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Rejected
from kernel.periods import Period
from rating.prices import Prices
from rating.state import ComponentState
from rating.usage import MISSING, Flow, Series, Summed, Usage

FLOAT_EXACT_BELOW = 2**53
INT64_BELOW = 2**63
MissingRule = Literal["refused", "nothing"]
Energy = NDArray[np.float64] | NDArray[np.int64]
S = TypeVar("S", bound=ComponentState)
_NETTED: dict[Summed, tuple[Flow, Flow]] = {
    "net_import": ("import", "export"),
    "net_export": ("export", "import"),
}


@dataclass(slots=True, eq=False)
class Batch:
    """`charged` are the amounts of each line so far, by meter, in parts of its divisor.

    `states` start as what the meters' last bills left and end as what this bill leaves.
    """

    usages: Sequence[Usage]
    states: list[dict[str, ComponentState]]
    prices: Prices
    missing: MissingRule
    divisors: list[int]
    charged: list[list[Decimal]] = field(default_factory=list)
    sums: dict[Summed, list[list[int]]] = field(default_factory=dict)
    """By flow and column of the plan's weights, each meter's energy in its unit."""
    _energy: dict[Summed, Energy] = field(default_factory=dict)
    surplus: dict[tuple[str, Period], list[list[Decimal]]] = field(default_factory=dict)
    """What components leave to the steps of their credits, by component id and days."""

    def sum_columns(self, weights: Mapping[Summed, NDArray[np.float64]]) -> None:
        """Each meter's energy by column, for all flows: one matrix product each."""
        for flow, columns in weights.items():
            energy = self.summable(flow)
            product = energy @ columns.astype(energy.dtype, copy=False)
            self.sums[flow] = product.T.astype(np.int64).tolist()

    def energy(self, flow: Summed) -> NDArray[np.int64]:
        """Meters × intervals, in the unit of each meter; not to be written to.

        Rejected for a meter without the flow or with missing values.
        """
        return self.summable(flow).astype(np.int64, copy=False)

    def in_parts(self, numbers: Sequence[Fraction]) -> list[Decimal]:
        """A number of each meter in parts of its divisor, which must hold its denominator."""
        return [
            Decimal(number.numerator * (divisor // number.denominator))
            for number, divisor in zip(numbers, self.divisors, strict=True)
        ]

    def kwh_in_parts(self, energies: Sequence[int]) -> list[Decimal]:
        """Energy of each meter in its unit, as kWh in parts of its divisor."""
        return [
            Decimal(energy * divisor).scaleb(-usage.kwh_decimals)
            for energy, divisor, usage in zip(energies, self.divisors, self.usages, strict=True)
        ]

    def take_state(self, meter: int, component_id: str, kind: type[S]) -> S | None:
        """What a component's last bill left for the meter, if anything; it is held no longer.

        Rejected where it is of another kind: the component was another one then.
        """
        state = self.states[meter].pop(component_id, None)
        if state is None or isinstance(state, kind):
            return state
        raise Rejected(
            "state_mismatch",
            f"{component_id}: the last bill left a state of kind {state.kind!r} where "
            f"{kind.kind!r} is needed",
        )

    def summable(self, flow: Summed) -> Energy:
        """As `energy`, but in floats that hold all sums of intervals exactly, where they can."""
        if flow not in self._energy:
            if flow == "net_import" or flow == "net_export":
                self._energy[flow] = self._net(*_NETTED[flow])
            else:
                self._energy[flow] = _energy(flow, self.usages, self.missing)
        return self._energy[flow]

    def _net(self, flow: Flow, less: Flow) -> Energy:
        """What of `flow` is more than of the other, within each interval."""
        one, other = self.summable(flow), self.summable(less)
        if one.dtype != other.dtype:
            one, other = self.energy(flow), self.energy(less)
        return np.maximum(one - other, 0)


def _energy(flow: Flow, usages: Sequence[Usage], missing: MissingRule) -> Energy:
    if without := [place for place, usage in enumerate(usages) if flow not in usage.series]:
        told = f"{_named(without[0], usages)} has no {flow} series, which the tariff charges for"
        raise Rejected("flow_missing", told)
    energy = _summable([usage.series[flow] for usage in usages])
    if energy.min() == MISSING:
        absent = energy == MISSING
        if missing == "refused":
            place = int(absent.any(axis=1).argmax())
            raise Rejected(
                "values_missing",
                f"{_named(place, usages)} has no {flow} value in "
                f"{int(absent[place].sum())} intervals",
            )
        energy[absent] = 0
    return energy


def _named(place: int, usages: Sequence[Usage]) -> str:
    return "the usage" if len(usages) == 1 else f"usage {place} of the batch"


def _summable(rows: list[Series]) -> Energy:
    """Meters × intervals as floats, which hold integers below 2⁵³ exactly, or else as integers."""
    slots = len(rows[0])
    floats = np.stack(rows, dtype=np.float64)
    if _largest(floats) * slots < FLOAT_EXACT_BELOW:
        return floats
    integers = np.stack(rows, dtype=np.int64)
    if _largest(integers) * slots < INT64_BELOW:
        return integers
    raise Rejected("energy_out_of_range", "the energy of one interval is too much to add up")


def _largest(energy: Energy) -> int:
    return max(int(energy.max()), -int(energy.min()))
