"""What requests and answers about comparisons hold."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from gridtally.contracts.model import Document, Instant, Text
from gridtally.http.resources import AnswerModel, Body, StoredModel, stamps
from gridtally.kernel.resources import Stored
from gridtally.simulation.api.comparisons.shifts import AnyShift, shown_shift
from gridtally.simulation.api.house_profiles import ProfileTerms
from gridtally.simulation.api.policies.models import AnyPolicy
from gridtally.simulation.api.policies.routes import POLICIES, document_of
from gridtally.simulation.api.runs.models import (
    Month,
    RunError,
    RunProgress,
    Seed,
    UsedPrices,
    Year,
)
from gridtally.simulation.domain import comparisons as domain
from gridtally.simulation.domain.houses import Source
from gridtally.simulation.domain.runs import MissingIntervals, Status
from gridtally.simulation.store.runs import RunState

Months = Annotated[int, Field(ge=1, le=domain.MONTHS_MAX)]


class ScenarioTerms(Body):
    """One of the policies or tariffs that are compared: either a `policy` or the id of a stored
    one."""

    label: Text
    """What people call it; none twice in a comparison."""
    policy: AnyPolicy | None = None
    """How the houses are billed."""
    policy_id: UUID | None = None
    """A stored policy, which is copied as it is now."""

    @model_validator(mode="after")
    def _check_policy(self) -> Self:
        if (self.policy is None) == (self.policy_id is None):
            raise ValueError("name either a policy or a policy_id")
        return self


class ComparisonTerms(Body):
    """What is to be compared."""

    name: Text
    """What people call it."""
    billing_cycle_month: Month
    """The first calendar month that is billed, from 1."""
    billing_cycle_year: Year
    """The year of that month."""
    months: Months = 12
    """How many months are billed, one after another; what a bill carries forward goes into the
    next."""
    topology_root_node_id: UUID
    """The property at or below which the houses are."""
    scenarios: Annotated[list[ScenarioTerms], Field(min_length=2, max_length=domain.SCENARIOS_MAX)]
    """What is compared; the first is the baseline that the others are held against."""
    shift: AnyShift | None = None
    """How use moves under the other scenarios; results are given with it and without."""
    source: Source = "stored"
    """Where readings come from: those that are stored, or generated ones."""
    as_known_at: Instant | None = None
    """Stored readings as they had been received by this instant, which takes much longer; null for
    those that are there."""
    profile: ProfileTerms = ProfileTerms()
    """For generated readings, of all houses that do not say it themselves."""
    seed: Seed = 0
    """For generated readings: the same seed gives the same ones."""
    missing: MissingIntervals = "refused"
    """Whether a comparison of which intervals are missing fails, or they count as no energy."""

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        labels = [scenario.label for scenario in self.scenarios]
        if len(set(labels)) < len(labels):
            raise ValueError("two scenarios have the same label")
        return self


class NewComparison(ComparisonTerms):
    """A comparison to be stored."""

    id: UUID | None = None
    """Its id; made by the service unless the caller names one."""


class Repetition(Body):
    """How a comparison is made again."""

    name: Text | None = None
    """Its name; null for that of the one that is repeated."""
    readings: Literal["now", "as_then"] = "now"
    """The readings that are there now, or those that had been received when the other was
    started."""


class UsedTariff(AnswerModel):
    """The tariff that a scenario was billed by, as it was when the comparison was started."""

    document_sha256: str
    """The digest of its document: the same for the same tariff."""
    version: Document | None
    """Of a `TARIFF` the version of the catalogue: its `id`, `tariff_id`, `number`, `status`,
    `effective_from`, how often it was changed (`version`) and when last (`updated_at`)."""
    document: Document
    """The native tariff."""


class Scenario(AnswerModel):
    """One of the policies or tariffs that are compared."""

    label: str
    """What people call it."""
    policy: AnyPolicy
    """How the houses are billed."""
    policy_id: UUID | None
    """The stored policy that was copied; null where it was the comparison's own."""
    tariff: UsedTariff | None
    """What it was billed by; null before the start."""
    tariff_document: Document | None
    """The native tariff that its policy stands for; null for a `TARIFF` that is not started."""


class SimulationComparison(StoredModel):
    """A comparison, and how far it is."""

    id: UUID
    """Its id."""
    name: str
    """What people call it."""
    billing_cycle_month: int
    """The first calendar month that is billed, from 1."""
    billing_cycle_year: int
    """The year of that month."""
    months: int
    """How many months are billed."""
    topology_root_node_id: UUID
    """The property at or below which the houses are."""
    scenarios: list[Scenario]
    """What is compared; the first is the baseline."""
    shift: AnyShift | None
    """How use moves under the other scenarios."""
    source: Source
    """Where readings come from."""
    as_known_at: datetime | None
    """By when its stored readings had been received; null for those that were there."""
    profile: ProfileTerms
    """For generated readings, of all houses that do not say it themselves."""
    seed: int
    """For generated readings: the same seed gives the same ones."""
    missing: MissingIntervals
    """Whether a comparison of which intervals are missing fails, or they count as no energy."""
    repeat_of: UUID | None
    """The comparison that it repeats."""
    status: Status
    """What has become of it."""
    started_at: datetime | None
    """When it was started, in UTC; null where it was not."""
    ended_at: datetime | None
    """When it ended, in UTC; null where it has not."""
    progress: RunProgress
    """How far it is."""
    error: RunError | None
    """Why it failed; null where it did not."""
    prices: list[UsedPrices]
    """The prices that its scenarios bill by; none where no tariff names a series, and before the
    start."""

    @classmethod
    def of(cls, stored: Stored[RunState]) -> Self:
        """The comparison as the API shows it."""
        run, progress = stored.resource.run, stored.resource.progress
        code, detail = progress.error_code, progress.error_detail
        return cls(
            **stamps(stored),
            id=run.id,
            name=run.name,
            billing_cycle_month=run.billing_cycle_month,
            billing_cycle_year=run.billing_cycle_year,
            months=run.months,
            topology_root_node_id=run.topology_root_node_id,
            scenarios=scenarios_of(stored.resource),
            shift=shown_shift(run.shift),
            source=run.source,
            as_known_at=run.as_known_at,
            profile=ProfileTerms.of(run.profile),
            seed=run.seed,
            missing=run.missing,
            repeat_of=run.repeat_of,
            status=progress.status,
            started_at=progress.started_at,
            ended_at=progress.ended_at,
            progress=RunProgress(houses=progress.houses, houses_done=progress.houses_done),
            error=None if code is None else RunError(code=code, detail=detail or ""),
            prices=[UsedPrices.model_validate(series) for series in progress.prices or []],
        )


def scenarios_of(state: RunState) -> list[Scenario]:
    """A comparison's scenarios, with the tariffs that they were billed by."""
    scenarios = state.run.scenarios or []
    used = [UsedTariff.model_validate(tariff) for tariff in state.progress.tariffs or []]
    shown = []
    for number, scenario in enumerate(scenarios):
        policy = POLICIES.validate_python(scenario["policy"])
        tariff = used[number] if used else None
        shown.append(
            Scenario(
                label=str(scenario["label"]),
                policy=policy,
                policy_id=scenario["policy_id"],
                tariff=tariff,
                tariff_document=tariff.document if tariff else document_of(policy),
            )
        )
    return shown
