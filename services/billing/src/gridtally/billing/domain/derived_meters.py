"""Derived meters: what they are the sum of, by local day.

Ingest owns what is billed of them; billing asks this to count nothing twice, and to say what a
correction of a part would make of a sum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from uuid import UUID

from gridtally.kernel.ids import own_meter_id
from gridtally.kernel.periods import Period
from gridtally.rating.usage import Flow

DERIVED_TYPES = frozenset({"unmetered", "derived"})
"""Meters that are never read: they only add up others."""
DEPTH_MAX = 16
"""How deep sums may be made of sums."""
BUILT_IN_TYPE = "unmetered"
BUILT_IN: Mapping[str, int] = {"total": 1, "gg": -1, "sg": -1}
"""`unmetered` is total − gg − sg of its property, unless it is defined otherwise."""
MAIN_FLOWS: tuple[Flow, ...] = ("import", "load", "generation", "export")
Register = tuple[UUID, Flow]
"""A meter that is read, and the flow of it that counts."""
Factors = Mapping[Register, int]
"""How often each register counts in a sum; below zero where it is subtracted."""
EVER = Period(date.min, date.max)
"""All days."""


@dataclass(frozen=True, slots=True)
class Term:
    """A meter in a sum; without a flow it counts by its main flow, or is derived itself."""

    meter_id: UUID
    sign: int
    flow: Flow | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """What a derived meter is the sum of from a local day on; None is for ever."""

    from_on: date | None
    terms: tuple[Term, ...]


def added(factors: Factors) -> set[UUID]:
    """The meters that a sum adds: what they measure is in it."""
    return {meter_id for (meter_id, _), factor in factors.items() if factor > 0}


def subtracted(factors: Factors) -> set[UUID]:
    """The meters that a sum leaves out of what it adds."""
    return {meter_id for meter_id, _ in factors} - added(factors)


def built_in(tenant_id: str, property_id: UUID) -> tuple[Definition, ...]:
    """What `unmetered` is the sum of where nobody has defined it."""
    terms = (
        Term(own_meter_id(tenant_id, property_id, meter_type), sign)
        for meter_type, sign in BUILT_IN.items()
    )
    return (Definition(None, tuple(terms)),)


@dataclass(frozen=True, slots=True)
class Network:
    """The flows of meters that are read, and the definitions of derived ones, the oldest first."""

    flows: Mapping[UUID, frozenset[str]]
    definitions: Mapping[UUID, Sequence[Definition]]

    def inputs(self, meter_id: UUID) -> set[UUID]:
        """All meters that the sum is made of at any time, sums within it among them."""
        inputs: set[UUID] = set()
        to_visit = [meter_id]
        while to_visit:
            for definition in self.definitions.get(to_visit.pop(), ()):
                fresh = {term.meter_id for term in definition.terms} - inputs
                inputs |= fresh
                to_visit += fresh
        return inputs - {meter_id}

    def parts(self, meter_id: UUID, days: Period) -> list[tuple[Period, Factors]]:
        """What the meter is the sum of, by runs of days; without those on which a part is not
        defined, or not known."""
        begin = [
            definition.from_on
            for own in (meter_id, *self.inputs(meter_id))
            for definition in self.definitions.get(own, ())
            if definition.from_on is not None and definition.from_on in days
        ]
        edges = sorted({days.start_on, days.end_on, *begin})
        runs = [
            (Period(start_on, end_on), self._factors(meter_id, start_on))
            for start_on, end_on in pairwise(edges)
        ]
        return [(run, factors) for run, factors in runs if factors]

    def _factors(self, meter_id: UUID, day: date) -> Factors:
        """The registers that the meter is the sum of on a day, without those that cancel out;
        nothing where something is not defined or not known."""
        factors: dict[Register, int] = {}
        if not self._add(factors, Term(meter_id, 1), 1, day, DEPTH_MAX):
            return {}
        return {register: factor for register, factor in factors.items() if factor}

    def _add(
        self, factors: dict[Register, int], term: Term, factor: int, day: date, depth_left: int
    ) -> bool:
        if not depth_left:
            return False
        if term.meter_id not in self.definitions:
            flows = self.flows.get(term.meter_id, frozenset())
            counted = term.flow or next((flow for flow in MAIN_FLOWS if flow in flows), None)
            if counted is None or counted not in flows:
                return False
            register = term.meter_id, counted
            factors[register] = factors.get(register, 0) + factor
            return True
        in_force = [
            definition
            for definition in self.definitions[term.meter_id]
            if definition.from_on is None or definition.from_on <= day
        ]
        return bool(in_force) and all(
            self._add(factors, own, factor * own.sign, day, depth_left - 1)
            for own in in_force[-1].terms
        )
