"""Derived meters: sums of other meters with signs, defined from a local day on.

Owns what a definition may say, how it is taken apart down to registers, and how registers are
summed at a moment and over a time. Refuses circles, and sums of unreasonable size. A sum is known
only where all its inputs are, and is no better than the worst of them (LED-3).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Literal
from uuid import UUID

from kernel.errors import Fault, Rejected
from kernel.money import EXACT
from ledger.domain.curves import Curve, Events, Quality, worst
from ledger.domain.registry import BUILT_IN_TYPE, Flow, Meter

TERMS_MAX = 200
"""The most terms of one definition."""
VERSIONS_MAX = 1_000
"""The most definitions of one meter."""
LEAVES_MAX = 1_000
"""The most registers that a sum may come down to."""
DEPTH_MAX = 16
"""How deep sums may be made of sums."""
BUILT_IN: Mapping[str, Literal[1, -1]] = {"total": 1, "gg": -1, "sg": -1}
"""`unmetered` = total − gg − sg, by the types of the property's own meters (LED-3)."""
Leaf = tuple[UUID, Flow]
"""A register: a meter and the flow that it counts."""


@dataclass(frozen=True, slots=True)
class Term:
    """A meter in a sum; without a `flow`, by its main register."""

    meter_id: UUID
    sign: Literal[1, -1]
    flow: Flow | None = None

    def __post_init__(self) -> None:
        if self.sign not in (1, -1):
            raise ValueError("a sign is 1 or -1")


@dataclass(frozen=True, slots=True)
class Definition:
    """What a derived meter is the sum of, from the local day `from_on`; None is for ever.

    `entry_id` names it in the chain; what nobody defined has none.
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

    def leaves(self, meter_id: UUID, at: datetime) -> dict[Leaf, int]:
        """The registers that a meter is the sum of at a moment, each with its factor.

        Rejected where nothing is defined then, or the sum is too large.
        """
        found: dict[Leaf, int] = {}
        self._collect(meter_id, None, 1, at, found, DEPTH_MAX)
        return found

    def _collect(
        self,
        meter_id: UUID,
        flow: Flow | None,
        factor: int,
        at: datetime,
        found: dict[Leaf, int],
        depth: int,
    ) -> None:
        meter = self.meters.get(meter_id)
        if meter is None:
            raise Rejected("input_removed", f"the meter {meter_id} is no longer there")
        if not meter.derived:
            counted = flow or meter.main_flow
            if counted is None:
                raise Rejected("no_register", f"the meter {meter_id} has no register")
            leaf = (meter_id, counted)
            found[leaf] = found.get(leaf, 0) + factor
            if len(found) > LEAVES_MAX:
                raise Rejected("sum_too_large", f"a sum has at most {LEAVES_MAX} registers")
            return
        if not depth:
            raise Rejected("sum_too_deep", f"sums of sums go at most {DEPTH_MAX} deep")
        for term in self._in_force(meter_id, at):
            self._collect(term.meter_id, term.flow, factor * term.sign, at, found, depth - 1)

    def _in_force(self, meter_id: UUID, at: datetime) -> tuple[Term, ...]:
        for each in reversed(self.definitions.get(meter_id, ())):
            if each.from_at is None or each.from_at <= at:
                return each.terms
        raise Rejected("undefined", f"the meter {meter_id} has no definition at that time")

    def changes(self, after: datetime, before: datetime) -> list[datetime]:
        """The moments between two others at which some definition changes."""
        moments = {
            each.from_at
            for versions in self.definitions.values()
            for each in versions
            if each.from_at is not None and after < each.from_at < before
        }
        return sorted(moments)


def built_in(own: Iterable[Meter]) -> tuple[Term, ...]:
    """The sum that `unmetered` is unless defined otherwise, of those of its terms that exist."""
    return tuple(Term(meter.id, BUILT_IN[meter.type]) for meter in own if meter.type in BUILT_IN)


def in_order(
    versions: Sequence[Definition], begin: Mapping[date, datetime], own: Sequence[Meter], type_: str
) -> list[InForce]:
    """Definitions as they hold, oldest first: of two from one day the later version counts."""
    newest: dict[date, Definition] = {}
    for each in sorted(versions, key=lambda each: each.version):
        if each.from_on is not None:
            newest[each.from_on] = each
    dated = [InForce(begin[day], newest[day].terms) for day in sorted(newest)]
    return ([InForce(None, built_in(own))] if type_ == BUILT_IN_TYPE else []) + dated


def refuse_circle(meter_id: UUID, terms: Sequence[Term], network: Network) -> None:
    """Rejected where a meter would be part of its own sum, at any time."""
    waiting = [term.meter_id for term in terms]
    seen: set[UUID] = set()
    while waiting:
        each = waiting.pop()
        if each == meter_id:
            fault = Fault("/terms", "must not lead back to the meter itself")
            raise Rejected("circular_definition", "the meter would be its own input", (fault,))
        if each not in seen:
            seen.add(each)
            waiting += [
                term.meter_id
                for version in network.definitions.get(each, ())
                for term in version.terms
            ]


@dataclass(frozen=True, slots=True)
class Value:
    """A sum of registers at a moment, in kWh; None where an input is `missing` then."""

    kwh: Decimal | None
    quality: Quality
    missing: tuple[UUID, ...] = ()


def value_at(factors: Mapping[Leaf, int], curves: Mapping[Leaf, Curve], at: datetime) -> Value:
    """What the registers show at that moment, summed."""
    points = {leaf: curves[leaf].at(at) for leaf in factors}
    missing = tuple(sorted({leaf[0] for leaf, point in points.items() if point is None}))
    if missing:
        return Value(None, "missing", missing)
    known = [(factors[leaf], point) for leaf, point in points.items() if point is not None]
    with localcontext(EXACT):
        kwh = sum((factor * point.shown_kwh for factor, point in known), Decimal(0))
    return Value(kwh, worst(point.quality for _, point in known))


@dataclass(frozen=True, slots=True)
class Consumption:
    """What was counted between two moments, in kWh, for the part of it that is known.

    `begin_at` and `end_at` are where that part lies; without any, `kwh` is None. `complete` where
    it is all that was asked for.
    """

    kwh: Decimal | None
    quality: Quality
    begin_at: datetime | None
    end_at: datetime | None
    complete: bool
    events: Events


NOTHING_KNOWN = Consumption(None, "missing", None, None, complete=False, events=Events())


def consumption(
    network: Network,
    meter_id: UUID,
    curves: Mapping[Leaf, Curve],
    window: tuple[datetime, datetime],
    flow: Flow | None = None,
) -> Consumption:
    """What a meter counted from one moment up to another, piecewise by its definitions.

    With `flow`, that register of a meter that is read.
    """
    start_at, end_at = window
    edges = [start_at, *network.changes(start_at, end_at), end_at]
    pieces = []
    for begin, end in pairwise(edges):
        factors = {(meter_id, flow): 1} if flow else network.leaves(meter_id, begin)
        pieces.append(_counted(factors, curves, begin, end))
    known = [piece for piece in pieces if piece.kwh is not None]
    if not known:
        return NOTHING_KNOWN
    with localcontext(EXACT):
        return Consumption(
            sum((piece.kwh for piece in known if piece.kwh is not None), Decimal(0)),
            worst(piece.quality for piece in known),
            known[0].begin_at,
            known[-1].end_at,
            complete=all(piece.complete for piece in pieces),
            events=sum((piece.events for piece in known), Events()),
        )


def _counted(
    factors: Mapping[Leaf, int], curves: Mapping[Leaf, Curve], start_at: datetime, end_at: datetime
) -> Consumption:
    """One sum's count where all its registers are known, and only there."""
    used = [(factor, curves[leaf]) for leaf, factor in factors.items()]
    asked = (start_at, end_at)
    for _, each in used:
        if each.begin_at is None or each.end_at is None:
            return NOTHING_KNOWN
        start_at, end_at = max(start_at, each.begin_at), min(end_at, each.end_at)
    if start_at >= end_at or not used:
        return NOTHING_KNOWN
    kwh, qualities, events = Decimal(0), set[Quality](), Events()
    with localcontext(EXACT):
        for factor, each in used:
            begin, end = each.at(start_at), each.at(end_at)
            if begin is None or end is None:  # pragma: no cover - the window was cut to the curve
                return NOTHING_KNOWN
            kwh += factor * (end.counted_kwh - begin.counted_kwh)
            qualities |= {begin.quality, end.quality}
            events += each.events(start_at, end_at)
    whole = (start_at, end_at) == asked
    return Consumption(kwh, worst(qualities), start_at, end_at, complete=whole, events=events)
