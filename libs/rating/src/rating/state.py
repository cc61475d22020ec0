"""State: what a bill hands to the next one, by component id.

Owns the shapes and their JSON form. State goes in and comes out of `rating.bill.rate`
explicitly, so that a bill can be made again from what is stored beside it. Energy is exact kWh.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, TypeVar

from kernel.errors import Fault, Rejected
from kernel.periods import month_of
from rating.json_form import FAULTS_MAX, as_json, read_tagged
from rating.limits import check_days


@dataclass(frozen=True, slots=True)
class BandKwh:
    """Energy of a band; None where there is but one."""

    band: str | None
    kwh: Decimal

    def __post_init__(self) -> None:
        _check_held(self.kwh)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a ladder of tiers was climbed since the local day `since_on`."""

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
        _check_held(self.kwh)


@dataclass(frozen=True, slots=True)
class Bank:
    """Energy that was given and not yet taken, oldest first."""

    kind: ClassVar[str] = "bank"
    lots: tuple[Lot, ...]


@dataclass(frozen=True, slots=True)
class Credit:
    """Money that is owed to the customer and may pay later charges; never below nothing."""

    kind: ClassVar[str] = "credit"
    amount: Decimal

    def __post_init__(self) -> None:
        _check_held(self.amount)


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest measured kW in the local days [start_on, end_on), which lie in one month.

    It is `kw` / `parts`: a mean over three days may have no finite decimal.
    """

    band: str | None
    start_on: date
    end_on: date
    kw: Decimal
    parts: int = 1

    def __post_init__(self) -> None:
        if self.parts < 1:
            raise ValueError("a peak's parts are 1 or more")
        _check_held(self.kw)
        check_days(self.start_on, self.end_on)
        if not self.start_on < self.end_on <= month_of(self.start_on).end_on:
            raise ValueError(f"{self.start_on} to {self.end_on} is no part of one month")


@dataclass(frozen=True, slots=True)
class Peaks:
    """The peaks of earlier months, oldest first, as far back as a ratchet looks."""

    kind: ClassVar[str] = "peaks"
    peaks: tuple[Peak, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """What bills have come to since the local day `since_on`; below nothing where they credit."""

    kind: ClassVar[str] = "tally"
    since_on: date
    amount: Decimal

    def __post_init__(self) -> None:
        if not self.amount.is_finite():
            raise ValueError(f"{self.amount} is no amount")


ComponentState = Progress | Bank | Credit | Peaks | Tally
Kind = TypeVar("Kind", Progress, Bank, Credit, Peaks, Tally)
State = Mapping[str, ComponentState]
"""By component id; a component without state is not in it."""
STATE_KINDS: dict[str, type[ComponentState]] = {
    kind.kind: kind for kind in (Progress, Bank, Credit, Peaks, Tally)
}


def own_state(
    states: Mapping[str, ComponentState], component_id: str, kind: type[Kind]
) -> Kind | None:
    """What a component's last bill left; Rejected where another kind of component left it."""
    state = states.get(component_id)
    if state is None or isinstance(state, kind):
        return state
    raise Rejected("state_kind", f"{component_id}: its state is {state.kind!r}, not {kind.kind!r}")


def _check_held(held: Decimal) -> None:
    if not held.is_finite() or held < 0:
        raise ValueError(f"{held} cannot be held: must be nothing or more")


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
        told = "; ".join(f"{fault.path}: {fault.detail}" for fault in faults)
        raise Rejected("invalid_state", told, tuple(faults))
    return state
