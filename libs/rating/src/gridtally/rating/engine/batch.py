"""A batch: meters that are rated at once, with all that is known of them while they are.

Owns sums of energy (exact: floats only carry integers below 2⁵³) and each meter's divisor. Refuses
missing values unless they may count as zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.prices import Prices
from gridtally.rating.state import ComponentState
from gridtally.rating.usage import MISSING, REACTIVE_FLOWS, Flow, RoundedFlow, Series, Summed, Usage

FLOAT_EXACT_BELOW = 2**53
INT64_BELOW = 2**63
MissingRule = Literal["refused", "counts_as_zero"]
"""What an interval without a value is: a reason to make no bill, or no energy."""
Energy = NDArray[np.float64] | NDArray[np.int64]
"""Meters × intervals (or × windows), in the unit of each meter."""
S = TypeVar("S", bound=ComponentState)
_NETTED: dict[Summed, tuple[Flow, Flow]] = {
    "net_import": ("import", "export"),
    "net_export": ("export", "import"),
}


@dataclass(slots=True, eq=False)
class Batch:
    """Meters alike in zone, period and resolution, and what a plan's steps have made of them.

    Lists by meter are in the order of `usages`. `charged` are the amounts of each line so far, by
    line and meter, in parts of the meter's divisor. `states` start as what the meters' last bills
    left and end as what this bill leaves.
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
    """What components leave to the steps of their credits, by component id and days: by band and
    meter, kWh in parts of the meter's divisor."""
    rehearsal: "Batch | None" = None
    """The same meters in whole kWh, charged by some steps before there are divisors."""

    def sum_columns(self, weights: Mapping[Summed, NDArray[np.float64]]) -> None:
        """Each meter's energy by column of the weights, for all flows.

        (meters × intervals) @ (intervals × columns): every band, cut and tier cycle of the tariff
        is one more column of 0 and 1 in the same product, which BLAS does at memory speed. Adding
        up masked rows meter by meter would read the energy once per column instead of once.
        """
        for flow, columns in weights.items():
            energy = self.summable(flow)
            product = energy @ columns.astype(energy.dtype, copy=False)
            self.sums[flow] = product.T.astype(np.int64).tolist()

    def rehearse(self) -> None:
        """Makes the rehearsal: what it leaves in states is not the meters' own."""
        self.rehearsal = Batch(
            usages=self.usages,
            states=[dict(states) for states in self.states],
            prices=self.prices,
            missing=self.missing,
            divisors=[1] * len(self.usages),
            sums=self.sums,
        )

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
        """What a component's last bill left for the meter, if anything; the batch drops it.

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
            if isinstance(flow, RoundedFlow):
                self._energy[flow] = self._rounded(flow)
            elif flow == "net_import" or flow == "net_export":
                self._energy[flow] = self._net(*_NETTED[flow])
            else:
                self._energy[flow] = _energy(flow, self.usages, self.missing)
        return self._energy[flow]

    def _rounded(self, flow: RoundedFlow) -> Energy:
        """The flow's energy, rounded within each interval."""
        kwh_decimals = [usage.kwh_decimals for usage in self.usages]
        return _summable(list(flow.rounding.round(self.energy(flow.flow), kwh_decimals)))

    def _net(self, flow: Flow, less: Flow) -> Energy:
        """How much more of `flow` there is than of `less`, within each interval; else 0."""
        more, fewer = self.summable(flow), self.summable(less)
        if more.dtype != fewer.dtype:
            more, fewer = self.energy(flow), self.energy(less)
        return np.maximum(more - fewer, 0)


def _energy(flow: Flow, usages: Sequence[Usage], missing: MissingRule) -> Energy:
    if without := [meter for meter, usage in enumerate(usages) if flow not in usage.series]:
        raise Rejected(
            "flow_missing",
            f"{_named(without[0], usages)} has no {flow} series, which the tariff charges for",
        )
    energy = _summable([usage.series[flow] for usage in usages])
    if energy.min() == MISSING:
        absent = energy == MISSING
        if flow in REACTIVE_FLOWS and absent.all(axis=1).any():
            meter = int(absent.all(axis=1).argmax())
            raise Rejected("flow_missing", f"{_named(meter, usages)} has no {flow} value at all")
        if missing == "refused":
            meter = int(absent.any(axis=1).argmax())
            raise Rejected(
                "values_missing",
                f"{_named(meter, usages)} has no {flow} value in "
                f"{int(absent[meter].sum())} intervals",
            )
        energy[absent] = 0
    return energy


def _named(meter: int, usages: Sequence[Usage]) -> str:
    return "the usage" if len(usages) == 1 else f"usage {meter} of the batch"


def _summable(rows: list[Series]) -> Energy:
    """The rows stacked, in a type whose sums over all intervals stay exact.

    Floats below 2⁵³ are whole numbers to the unit, and their matrix product is some twenty times
    as fast as that of integers, which BLAS does not know. So the largest possible sum (top value
    × intervals) is bounded first; what does not fit in 2⁵³ is summed as int64, and what does not
    fit in 2⁶³ is Rejected. Real meters stay far below: 2⁵³ Wh are nine thousand TWh.
    """
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
