"""Derived meters: sums of other meters with signs, and the registers that they come down to.

Owns what is stored and read of a definition alike wherever derived meters are added up. Does not
own which definitions may be made (the ledger refuses circles), nor how days are added up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Literal
from uuid import UUID

from gridtally.kernel.ids import own_meter_id
from gridtally.kernel.periods import Period

ActiveFlow = Literal["import", "export", "load", "generation"]
Sign = Literal[1, -1]
BUILT_IN_TYPE = "unmetered"
DERIVED_TYPES = frozenset({BUILT_IN_TYPE, "derived"})
"""Meters that are never read: they only add up others."""
BUILT_IN: Mapping[str, Sign] = {"total": 1, "gg": -1, "sg": -1}
"""`unmetered` is total − gg − sg of its property, unless it is defined otherwise."""
DEPTH_MAX = 16
"""How deep sums may be made of sums."""
MAIN_FLOWS: tuple[ActiveFlow, ...] = ("import", "load", "generation", "export")
"""The first of these that a meter has is the one that a sum takes where it names none."""
Register = tuple[UUID, ActiveFlow]
"""A meter that is read, and the flow of it that counts."""
Factors = Mapping[Register, int]
"""How often each register counts in a sum; below zero where it is subtracted."""


@dataclass(frozen=True, slots=True)
class Term:
    """A meter in a sum; without a flow it counts by its main flow, or is derived itself.

    ValueError for another sign.
    """

    meter_id: UUID
    sign: Sign
    flow: ActiveFlow | None = None

    def __post_init__(self) -> None:
        if self.sign not in (1, -1):
            raise ValueError("a sign is 1 or -1")


@dataclass(frozen=True, slots=True)
class Definition:
    """What a derived meter is the sum of from a local day on; None is for ever."""

    from_on: date | None
    terms: tuple[Term, ...]


def built_in(tenant_id: str, property_id: UUID) -> tuple[Definition, ...]:
    """What `unmetered` is the sum of where nobody has defined it."""
    terms = (
        Term(own_meter_id(tenant_id, property_id, meter_type), sign)
        for meter_type, sign in BUILT_IN.items()
    )
    return (Definition(None, tuple(terms)),)


def as_json(definitions: Sequence[Definition]) -> list[dict[str, Any]]:
    """Definitions as they are stored."""
    return [asdict(definition) for definition in definitions]


def of_json(stored: Sequence[Mapping[str, Any]]) -> tuple[Definition, ...]:
    """Definitions that were stored, in their order."""
    return tuple(
        Definition(
            None if own["from_on"] is None else date.fromisoformat(own["from_on"]),
            tuple(
                Term(UUID(term["meter_id"]), term["sign"], term["flow"]) for term in own["terms"]
            ),
        )
        for own in stored
    )


@dataclass(frozen=True, slots=True)
class Network:
    """The flows of meters that are read, and the definitions of derived ones, the oldest first: of
    a derived meter that nobody has defined there are none."""

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
            (Period(start_on, end_on), self._factors_on(meter_id, start_on))
            for start_on, end_on in pairwise(edges)
        ]
        return [(run, factors) for run, factors in runs if factors]

    def _factors_on(self, meter_id: UUID, day: date) -> Factors:
        return self.factors(meter_id, lambda _: day)

    def factors(self, meter_id: UUID, day_of: Callable[[UUID], date]) -> Factors:
        """The registers that the meter is the sum of, without those that cancel out; nothing where
        something is not defined or not known. `day_of` is the local day of each sum within it."""
        factors: dict[Register, int] = {}
        if not self._add(factors, Term(meter_id, 1), 1, day_of, DEPTH_MAX):
            return {}
        return {register: factor for register, factor in factors.items() if factor}

    def _add(
        self,
        factors: dict[Register, int],
        term: Term,
        factor: int,
        day_of: Callable[[UUID], date],
        depth_left: int,
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
        day = day_of(term.meter_id)
        in_force = [
            definition
            for definition in self.definitions[term.meter_id]
            if definition.from_on is None or definition.from_on <= day
        ]
        return bool(in_force) and all(
            self._add(factors, own, factor * own.sign, day_of, depth_left - 1)
            for own in in_force[-1].terms
        )
