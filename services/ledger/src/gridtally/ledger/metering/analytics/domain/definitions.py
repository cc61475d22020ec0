"""Derived meters: sums of other meters with signs, defined from a local day on.

Owns what a definition may say, and which registers it comes down to. Refuses circles, and sums of
unreasonable size.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from gridtally.kernel.errors import Fault, Rejected
from gridtally.ledger.registry.domain.meters import BUILT_IN_TYPE, ActiveFlow, Meter, RegisterKey
from gridtally.metering.derived_meters import BUILT_IN, DEPTH_MAX, Term

TERMS_MAX = 200
"""The most terms of one definition."""
VERSIONS_MAX = 1_000
"""The most definitions of one meter."""
DEFINED_TERMS_MAX = 20_000
"""The most terms of all definitions of one meter that count: they are published together."""
SUM_REGISTERS_MAX = 1_000
"""The most registers that a sum may come down to."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a derived meter is the sum of, from the local day `from_on`; None is for ever.

    `entry_id` names it in the chain; the built-in definition has none.
    """

    version: int
    from_on: date | None
    terms: tuple[Term, ...]
    entry_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class InForce:
    """A definition and the instant from which it holds; None is for ever."""

    from_at: datetime | None
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """Meters by id, and the definitions of the derived ones, oldest first."""

    meters: Mapping[UUID, Meter]
    definitions: Mapping[UUID, Sequence[InForce]]

    def factors(self, meter_id: UUID, at: datetime) -> dict[RegisterKey, int]:
        """The registers that a meter is the sum of at a moment, each with its factor, which is 0
        where terms cancel out.

        Rejected where nothing is defined then, or the sum is too large.
        """
        factors: dict[RegisterKey, int] = {}
        self._add_factors(factors, meter_id, None, 1, at, DEPTH_MAX)
        return factors

    def _add_factors(
        self,
        factors: dict[RegisterKey, int],
        meter_id: UUID,
        flow: ActiveFlow | None,
        factor: int,
        at: datetime,
        depth_left: int,
    ) -> None:
        meter = self.meters.get(meter_id)
        if meter is None:
            raise Rejected("input_removed", f"the meter {meter_id} is no longer there")
        if not meter.is_derived:
            counted_flow = flow or meter.main_flow
            if counted_flow is None:
                raise Rejected("no_register", f"the meter {meter_id} has no register")
            key = (meter_id, counted_flow)
            factors[key] = factors.get(key, 0) + factor
            if len(factors) > SUM_REGISTERS_MAX:
                raise Rejected("sum_too_large", f"a sum has at most {SUM_REGISTERS_MAX} registers")
            return
        if not depth_left:
            raise Rejected("sum_too_deep", f"sums of sums go at most {DEPTH_MAX} deep")
        for term in self._in_force(meter_id, at):
            self._add_factors(
                factors, term.meter_id, term.flow, factor * term.sign, at, depth_left - 1
            )

    def _in_force(self, meter_id: UUID, at: datetime) -> tuple[Term, ...]:
        for definition in reversed(self.definitions.get(meter_id, ())):
            if definition.from_at is None or definition.from_at <= at:
                return definition.terms
        raise Rejected("undefined", f"the meter {meter_id} has no definition at that time")

    def changes(self, after: datetime, before: datetime) -> list[datetime]:
        """The moments between two others at which some definition changes, in order."""
        moments = {
            definition.from_at
            for versions in self.definitions.values()
            for definition in versions
            if definition.from_at is not None and after < definition.from_at < before
        }
        return sorted(moments)


def built_in(own: Iterable[Meter]) -> tuple[Term, ...]:
    """The sum that `unmetered` is unless defined otherwise, of those of its terms that exist."""
    return tuple(
        Term(meter.id, BUILT_IN[meter.meter_type]) for meter in own if meter.meter_type in BUILT_IN
    )


def in_order(
    versions: Sequence[Definition],
    begin_at: Mapping[date, datetime],
    own: Sequence[Meter],
    meter_type: str,
) -> list[InForce]:
    """Definitions as they hold, oldest first: of two from one day the later version counts.

    `begin_at` has the instant at which each day begins, `own` the meters of the property.
    """
    newest: dict[date, Definition] = {}
    for definition in sorted(versions, key=lambda definition: definition.version):
        if definition.from_on is not None:
            newest[definition.from_on] = definition
    dated = [InForce(begin_at[day], newest[day].terms) for day in sorted(newest)]
    return ([InForce(None, built_in(own))] if meter_type == BUILT_IN_TYPE else []) + dated


def counting(versions: Sequence[Definition]) -> list[Definition]:
    """The definitions that count, oldest first: of two from one day the later version."""
    newest: dict[date | None, Definition] = {}
    for definition in sorted(versions, key=lambda definition: definition.version):
        newest[definition.from_on] = definition
    return sorted(newest.values(), key=lambda definition: definition.from_on or date.min)


def refuse_circle(meter_id: UUID, terms: Sequence[Term], network: Network) -> None:
    """Rejected where a meter would be part of its own sum, at any time."""
    to_visit = [term.meter_id for term in terms]
    visited: set[UUID] = set()
    while to_visit:
        input_id = to_visit.pop()
        if input_id == meter_id:
            fault = Fault("/terms", "must not lead back to the meter itself")
            raise Rejected("circular_definition", "the meter would be its own input", (fault,))
        if input_id not in visited:
            visited.add(input_id)
            to_visit += [
                term.meter_id
                for definition in network.definitions.get(input_id, ())
                for term in definition.terms
            ]
