"""What registers show at a moment and count over a time, summed as definitions say.

A sum is known only where all its inputs are, and is no better than the worst of them (LED-3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from itertools import pairwise
from uuid import UUID

from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import EXACT
from gridtally.ledger.metering.analytics.domain.definitions import Network
from gridtally.ledger.registry.domain.meters import ActiveFlow, Meter, RegisterKey
from gridtally.metering.curves import Quality, RegisterCurve, RegisterEvents, worst

Window = tuple[datetime, datetime]
"""[from, to): two instants, the first before the second."""


@dataclass(frozen=True, slots=True)
class Value:
    """A sum of registers at a moment, in kWh; None where an input is `missing` then."""

    kwh: Decimal | None
    quality: Quality
    missing: tuple[UUID, ...] = ()


def value_at(
    factors: Mapping[RegisterKey, int],
    curves: Mapping[RegisterKey, RegisterCurve],
    at: datetime,
) -> Value:
    """What registers show at a moment, summed with their factors."""
    points = {key: curves[key].at(at) for key in factors}
    missing = tuple(sorted({key[0] for key, point in points.items() if point is None}))
    if missing:
        return Value(None, "missing", missing)
    known = [(factors[key], point) for key, point in points.items() if point is not None]
    with localcontext(EXACT):
        kwh = sum((factor * point.shown_kwh for factor, point in known), Decimal(0))
    return Value(kwh, worst(point.quality for _, point in known))


@dataclass(frozen=True, slots=True)
class Consumption:
    """What was counted between two moments, in kWh, for the part of it that is known.

    `begin_at` and `end_at` are where that part lies; without any, `kwh` is None. `complete` where
    it is the whole time between the two moments.
    """

    kwh: Decimal | None
    quality: Quality
    begin_at: datetime | None
    end_at: datetime | None
    complete: bool
    events: RegisterEvents


NOTHING_KNOWN = Consumption(None, "missing", None, None, complete=False, events=RegisterEvents())


def consumption(
    network: Network,
    meter_id: UUID,
    curves: Mapping[RegisterKey, RegisterCurve],
    window: Window,
    flow: ActiveFlow | None = None,
) -> Consumption:
    """What a meter counted from one moment up to another, piecewise by its definitions.

    With `flow`, that register of a meter that is read. Rejected where a piece is not defined.
    """
    start_at, end_at = window
    edges = [start_at, *network.changes(start_at, end_at), end_at]
    pieces = []
    for begin, end in pairwise(edges):
        factors = {(meter_id, flow): 1} if flow else network.factors(meter_id, begin)
        pieces.append(_counted(factors, curves, (begin, end)))
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
            events=sum((piece.events for piece in known), RegisterEvents()),
        )


def _counted(
    factors: Mapping[RegisterKey, int],
    curves: Mapping[RegisterKey, RegisterCurve],
    window: Window,
) -> Consumption:
    """What one sum counted, for the time within the window in which all its registers are known."""
    inputs = [(factor, curves[key]) for key, factor in factors.items()]
    start_at, end_at = window
    for _, curve in inputs:
        if curve.begin_at is None or curve.end_at is None:
            return NOTHING_KNOWN
        start_at, end_at = max(start_at, curve.begin_at), min(end_at, curve.end_at)
    if start_at >= end_at or not inputs:
        return NOTHING_KNOWN
    kwh, qualities, events = Decimal(0), set[Quality](), RegisterEvents()
    with localcontext(EXACT):
        for factor, curve in inputs:
            begin, end = curve.at(start_at), curve.at(end_at)
            if begin is None or end is None:  # pragma: no cover - the window was cut to the curve
                return NOTHING_KNOWN
            kwh += factor * (end.counted_kwh - begin.counted_kwh)
            qualities |= {begin.quality, end.quality}
            events += curve.events(start_at, end_at)
    complete = (start_at, end_at) == window
    return Consumption(kwh, worst(qualities), start_at, end_at, complete=complete, events=events)


@dataclass(frozen=True, slots=True)
class EnergySource:
    """Something that counts energy: a register of a meter, or, without a `flow`, a derived meter
    as a whole."""

    meter: Meter
    flow: ActiveFlow | None


def sources_of(meters: Sequence[Meter]) -> list[EnergySource]:
    """Everything that counts among meters: each register, and each derived meter."""
    return [
        EnergySource(meter, flow)
        for meter in meters
        for flow in (
            [None] if meter.is_derived else [register.flow for register in meter.registers]
        )
    ]


@dataclass(frozen=True, slots=True)
class SourceConsumption:
    """What an energy source counted in one piece of a time."""

    source: EnergySource
    window: Window
    consumption: Consumption


@dataclass(frozen=True, slots=True)
class RegisterData:
    """The registers that a question comes down to, and their curves."""

    network: Network
    curves: Mapping[RegisterKey, RegisterCurve]

    def consumption(self, source: EnergySource, window: Window) -> SourceConsumption:
        """What a source counted; nothing is known of a sum that is not defined then."""
        try:
            counted = consumption(self.network, source.meter.id, self.curves, window, source.flow)
        except Rejected:
            counted = NOTHING_KNOWN
        return SourceConsumption(source, window, counted)

    def value(self, source: EnergySource, at: datetime) -> Value:
        """What a source shows at a moment; Rejected for a sum that is not defined then."""
        if source.flow is None:
            factors = self.network.factors(source.meter.id, at)
        else:
            factors = {(source.meter.id, source.flow): 1}
        return value_at(factors, self.curves, at)

    def shown_kwh(self, source: EnergySource, at: datetime) -> Decimal | None:
        """What a source shows at a moment, where that is known."""
        try:
            return self.value(source, at).kwh
        except Rejected:
            return None
