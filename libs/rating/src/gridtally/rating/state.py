"""State: what a bill carries forward to the next one, by component id.

Owns its kinds and their JSON form. State goes in and comes out of `rating.engine.bill.rate`
explicitly, so that a bill can be made again from what is stored beside it. Energy is exact kWh.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, TypeVar

from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.periods import month_of
from gridtally.rating.field_types import check_days
from gridtally.rating.json_form import FAULTS_MAX, as_json, read_tagged


@dataclass(frozen=True, slots=True)
class BandKwh:
    """Energy of a band, or of all where `band` is None."""

    band: str | None
    kwh: Decimal

    def __post_init__(self) -> None:
        _check_amount(self.kwh)


@dataclass(frozen=True, slots=True)
class Progress:
    """How much energy was counted through the tiers since the local day `since_on`."""

    kind: ClassVar[str] = "progress"
    since_on: date
    used: tuple[BandKwh, ...]


@dataclass(frozen=True, slots=True)
class Lot:
    """Energy in a bank, earned in the period that ended on `earned_on`; lost on `expires_on`."""

    band: str | None
    kwh: Decimal
    earned_on: date
    expires_on: date | None

    def __post_init__(self) -> None:
        _check_amount(self.kwh)


@dataclass(frozen=True, slots=True)
class Bank:
    """Energy that was exported and has not paid for any yet, oldest lot first."""

    kind: ClassVar[str] = "bank"
    lots: tuple[Lot, ...]


@dataclass(frozen=True, slots=True)
class Credit:
    """Money that is owed to the customer and may pay later charges; never below zero."""

    kind: ClassVar[str] = "credit"
    amount: Decimal

    def __post_init__(self) -> None:
        _check_amount(self.amount)


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest measured kW in the local days [start_on, end_on), which lie in one month.

    The kW are `kw` / `parts`: a mean over three days may have no finite decimal.
    """

    band: str | None
    start_on: date
    end_on: date
    kw: Decimal
    parts: int = 1

    def __post_init__(self) -> None:
        if self.parts < 1:
            raise ValueError("a peak's parts are 1 or more")
        _check_amount(self.kw)
        check_days(self.start_on, self.end_on)
        if not self.start_on < self.end_on <= month_of(self.start_on).end_on:
            raise ValueError(f"{self.start_on} to {self.end_on} is no part of one month")


@dataclass(frozen=True, slots=True)
class Peaks:
    """The peaks of earlier months, oldest first, as far back as a ratchet looks."""

    kind: ClassVar[str] = "peaks"
    peaks: tuple[Peak, ...]


@dataclass(frozen=True, slots=True)
class CoincidentKw:
    """The kW at an instant at which a system had its peak: `kw` / `parts`."""

    at: datetime
    kw: Decimal
    parts: int = 1

    def __post_init__(self) -> None:
        if self.parts < 1:
            raise ValueError("the parts of kW are 1 or more")
        if self.at.tzinfo is None:
            raise ValueError(f"{self.at} is no instant")
        check_days(self.at.date(), self.at.date())
        _check_amount(self.kw)


@dataclass(frozen=True, slots=True)
class CoincidentPeaks:
    """The kW at the system's peaks that later bills are charged by, oldest first."""

    kind: ClassVar[str] = "coincident_peaks"
    peaks: tuple[CoincidentKw, ...]


@dataclass(frozen=True, slots=True)
class RunningTotal:
    """What bills have come to since the local day `since_on`; below zero where they credit."""

    kind: ClassVar[str] = "tally"
    since_on: date
    amount: Decimal

    def __post_init__(self) -> None:
        if not self.amount.is_finite():
            raise ValueError(f"{self.amount} is no amount")


ComponentState = Progress | Bank | Credit | Peaks | CoincidentPeaks | RunningTotal
Kind = TypeVar("Kind", Progress, Bank, Credit, Peaks, CoincidentPeaks, RunningTotal)
State = Mapping[str, ComponentState]
"""By component id; a component without state is not in it. The `kind` of each is stored for ever
beside bills, also where a class has another name."""
STATE_KINDS: dict[str, type[ComponentState]] = {
    kind.kind: kind for kind in (Progress, Bank, Credit, Peaks, CoincidentPeaks, RunningTotal)
}


def own_state(
    states: Mapping[str, ComponentState], component_id: str, kind: type[Kind]
) -> Kind | None:
    """What a component's last bill left; Rejected where another kind of component left it."""
    state = states.get(component_id)
    if state is None or isinstance(state, kind):
        return state
    raise Rejected("state_kind", f"{component_id}: its state is {state.kind!r}, not {kind.kind!r}")


def _check_amount(amount: Decimal) -> None:
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{amount} cannot be carried forward: must be 0 or more")


def state_document(state: State) -> dict[str, object]:
    """The JSON form: decimals and dates as strings."""
    return {component_id: as_json(state[component_id]) for component_id in sorted(state)}


def read_state(document: Mapping[str, object]) -> State:
    """The state that a document describes; Rejected with the path of every fault."""
    faults: list[Fault] = []
    state: dict[str, ComponentState] = {}
    for component_id, value in document.items():
        if len(faults) >= FAULTS_MAX:
            break
        state[component_id] = read_tagged(STATE_KINDS, value, f"/{component_id}", faults)
    if faults:
        detail = "; ".join(f"{fault.path}: {fault.detail}" for fault in faults)
        raise Rejected("invalid_state", detail, tuple(faults))
    return state
