"""Runs: houses, a billing month and a policy, and how far the work on them is.

`PENDING` runs are edited, started and deleted; a started one ends as `COMPLETED`, `FAILED` or
`CANCELLED`, each once. A comparison is a run by several policies over several months; it lives and
is shared among workers as every run.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from gridtally.kernel.errors import Conflict
from gridtally.kernel.periods import Period, month_of, months_after
from gridtally.simulation.domain.houses import HouseProfile, Source

Status = Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"]
MissingIntervals = Literal["refused", "counts_as_zero"]
Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is to be simulated; `policy` is the JSON form of its policy.

    Of a comparison `scenarios` are its policies, each with a label, of which `policy` is the first;
    `shift` is how use moves. `as_known_at` is the instant by which its readings had been received,
    None for those that are there; `repeat_of` is the comparison that it repeats.
    """

    id: UUID
    name: str
    billing_cycle_month: int
    billing_cycle_year: int
    topology_root_node_id: UUID
    source: Source
    policy: Json = field(hash=False)
    policy_id: UUID | None = None
    profile: HouseProfile = field(default_factory=HouseProfile)
    seed: int = 0
    missing: MissingIntervals = "refused"
    months: int = 1
    scenarios: list[Json] | None = field(default=None, hash=False)
    shift: Json | None = field(default=None, hash=False)
    as_known_at: datetime | None = None
    repeat_of: UUID | None = None

    @property
    def month(self) -> Period:
        """The billing month, or the first of a comparison's."""
        return month_of(date(self.billing_cycle_year, self.billing_cycle_month, 1))

    @property
    def window(self) -> Period:
        """All months."""
        start_on = self.month.start_on
        return Period(start_on, months_after(start_on, self.months))

    @property
    def is_comparison(self) -> bool:
        """Whether it is by several policies."""
        return self.scenarios is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is; the error says why it failed. `tariffs` are those of a comparison's
    scenarios as they were when it was started; `prices` tells of the series that it bills by."""

    status: Status = "PENDING"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    houses: int = 0
    houses_done: int = 0
    error_code: str | None = None
    error_detail: str | None = None
    tariff_document: Json | None = field(default=None, hash=False)
    tariffs: list[Json] | None = field(default=None, hash=False)
    prices: list[Json] | None = field(default=None, hash=False)


def check_pending(status: Status, what: str) -> None:
    """Conflict where a run was started; `what` names what cannot be done to it any more."""
    if status != "PENDING":
        raise Conflict("run_not_pending", f"a run that is {status} cannot be {what}")


def check_cancellable(status: Status) -> None:
    """Conflict where a run is over."""
    if status not in ("PENDING", "RUNNING"):
        raise Conflict("run_over", f"a run that is {status} cannot be cancelled")


def check_deletable(status: Status) -> None:
    """Conflict while a run is at work."""
    if status == "RUNNING":
        raise Conflict(
            "run_running", "a run that is RUNNING must be cancelled before it is deleted"
        )
