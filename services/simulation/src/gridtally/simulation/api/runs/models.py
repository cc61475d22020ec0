"""What requests and answers about runs hold."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from gridtally.contracts.model import Document, Text
from gridtally.http.resources import AnswerModel, Body, NotNull, StoredModel, stamps
from gridtally.kernel.resources import Stored
from gridtally.simulation.api.house_profiles import ProfileTerms
from gridtally.simulation.api.policies.models import AnyPolicy
from gridtally.simulation.api.policies.routes import POLICIES, document_of
from gridtally.simulation.domain import runs as domain
from gridtally.simulation.domain.houses import Source
from gridtally.simulation.store.runs import RunState

Month = Annotated[int, Field(ge=1, le=12)]
Year = Annotated[int, Field(ge=2000, le=8999)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class RunTerms(Body):
    """What is to be simulated: either a `policy` or the id of a stored one."""

    name: Text
    """What people call it."""
    billing_cycle_month: Month
    """The calendar month that is billed, from 1."""
    billing_cycle_year: Year
    """The year of that month."""
    topology_root_node_id: UUID
    """The property at or below which the houses are."""
    source: Source = "stored"
    """Where readings come from: those that are stored, or generated ones."""
    policy: AnyPolicy | None = None
    """How the houses are billed."""
    policy_id: UUID | None = None
    """A stored policy, which is copied as it is now."""
    profile: ProfileTerms = ProfileTerms()
    """For generated readings, of all houses that do not say it themselves."""
    seed: Seed = 0
    """For generated readings: the same seed gives the same ones."""
    missing: domain.MissingIntervals = "refused"
    """Whether a run of which intervals are missing fails, or they count as no energy."""

    @model_validator(mode="after")
    def _check_policy(self) -> Self:
        if (self.policy is None) == (self.policy_id is None):
            raise ValueError("name either a policy or a policy_id")
        return self


class NewRun(RunTerms):
    """A run to be stored."""

    id: UUID | None = None
    """Its id; made by the service unless the caller names one."""


class RunChange(Body):
    """What is to be different; what is left out stays. A `policy` takes the place of a `policy_id`
    and the other way round."""

    name: Annotated[Text | None, NotNull] = None
    """What people call it."""
    billing_cycle_month: Annotated[Month | None, NotNull] = None
    """The calendar month that is billed, from 1."""
    billing_cycle_year: Annotated[Year | None, NotNull] = None
    """The year of that month."""
    topology_root_node_id: Annotated[UUID | None, NotNull] = None
    """The property at or below which the houses are."""
    source: Annotated[Source | None, NotNull] = None
    """Where readings come from."""
    policy: Annotated[AnyPolicy | None, NotNull] = None
    """How the houses are billed."""
    policy_id: Annotated[UUID | None, NotNull] = None
    """A stored policy, which is copied as it is now."""
    profile: Annotated[ProfileTerms | None, NotNull] = None
    """For generated readings, of all houses that do not say it themselves."""
    seed: Annotated[Seed | None, NotNull] = None
    """For generated readings: the same seed gives the same ones."""
    missing: Annotated[domain.MissingIntervals | None, NotNull] = None
    """Whether a run of which intervals are missing fails, or they count as no energy."""

    @model_validator(mode="after")
    def _check_policy(self) -> Self:
        if self.policy is not None and self.policy_id is not None:
            raise ValueError("name either a policy or a policy_id")
        return self


class RunCopy(Body):
    """What the copy is called."""

    name: Text | None = None
    """Its name; null for that of the run."""


class RunProgress(AnswerModel):
    """How far a run is."""

    houses: int
    """How many houses it has, once it is started."""
    houses_done: int
    """How many of them are rated."""


class RunError(AnswerModel):
    """Why a run failed."""

    code: str
    """For programs; as problems have them."""
    detail: str
    """For people: what is wrong and what to do."""


class UsedPrices(AnswerModel):
    """The prices of a series that it bills by, as they were when it was started."""

    code: str
    """The code under which tariffs name the series."""
    currency: str
    """The currency of the prices."""
    zone: str
    """The zone of the series' days."""
    first_on: date
    """The first local day of which there were prices."""
    last_on: date
    """The last one."""
    days: int
    """How many days there were."""
    sha256: str
    """The digest of all days, their versions and prices: the same for the same prices."""


class SimulationRun(StoredModel):
    """A run, and how far it is."""

    id: UUID
    """Its id."""
    name: str
    """What people call it."""
    billing_cycle_month: int
    """The calendar month that is billed, from 1."""
    billing_cycle_year: int
    """The year of that month."""
    topology_root_node_id: UUID
    """The property at or below which the houses are."""
    source: Source
    """Where readings come from."""
    policy: AnyPolicy
    """How the houses are billed."""
    policy_id: UUID | None
    """The stored policy that was copied; null where it was the run's own."""
    profile: ProfileTerms
    """For generated readings, of all houses that do not say it themselves."""
    seed: int
    """For generated readings: the same seed gives the same ones."""
    missing: domain.MissingIntervals
    """Whether a run of which intervals are missing fails, or they count as no energy."""
    status: domain.Status
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
    """The prices that it bills by; none where its tariff names no series, and before the start."""
    tariff_document: Document | None
    """The native tariff that it bills by; without a zone it is on the clock of each house. Null for
    a `TARIFF` that is not started."""

    @classmethod
    def of(cls, stored: Stored[RunState]) -> Self:
        """The run as the API shows it."""
        run, progress = stored.resource.run, stored.resource.progress
        policy = POLICIES.validate_python(run.policy)
        code, detail = progress.error_code, progress.error_detail
        return cls(
            **stamps(stored),
            id=run.id,
            name=run.name,
            billing_cycle_month=run.billing_cycle_month,
            billing_cycle_year=run.billing_cycle_year,
            topology_root_node_id=run.topology_root_node_id,
            source=run.source,
            policy=policy,
            policy_id=run.policy_id,
            profile=ProfileTerms.of(run.profile),
            seed=run.seed,
            missing=run.missing,
            status=progress.status,
            started_at=progress.started_at,
            ended_at=progress.ended_at,
            progress=RunProgress(houses=progress.houses, houses_done=progress.houses_done),
            error=None if code is None else RunError(code=code, detail=detail or ""),
            prices=[UsedPrices.model_validate(series) for series in progress.prices or []],
            tariff_document=progress.tariff_document or document_of(policy),
        )
