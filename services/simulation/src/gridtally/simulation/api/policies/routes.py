"""`/v1/simulation-policies`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import TypeAdapter

from gridtally.contracts.model import Document, Text
from gridtally.database import ReadConnection, snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import RequiredMatch
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import (
    Body,
    NotNull,
    StoredModel,
    answer,
    answer_created,
    stamps,
)
from gridtally.http.sorting import SortedPage
from gridtally.kernel.ids import new_id
from gridtally.kernel.periods import Period
from gridtally.kernel.resources import Stored
from gridtally.simulation.api.callers import PolicyId, Reader, WriteCause
from gridtally.simulation.api.policies.models import AnyPolicy, policy_json
from gridtally.simulation.domain import policies as domain
from gridtally.simulation.domain.comparisons import UsedTariff
from gridtally.simulation.domain.prices import PriceDays, codes_of, days_around
from gridtally.simulation.handlers import policies as handlers
from gridtally.simulation.store import policies as store
from gridtally.simulation.store.services import Services

router = Router(prefix="/v1/simulation-policies", tags=["simulation policies"])
Sort = Literal["created_at", "-created_at", "name", "-name"]
PolicyType = Literal["SIMPLE_NET", "GROSS_METERING", "TOU_RATE", "TARIFF"]
POLICIES: TypeAdapter[Any] = TypeAdapter(AnyPolicy)


class PolicyTerms(Body):
    """A policy under a name."""

    name: Text
    """What people call it."""
    policy: AnyPolicy
    """How houses are billed."""


class NewPolicy(PolicyTerms):
    """A policy to be stored."""

    id: UUID | None = None
    """Its id; made by the service unless the caller names one."""


class PolicyChange(Body):
    """What is to be different; what is left out stays."""

    name: Annotated[Text | None, NotNull] = None
    """What people call it."""
    policy: Annotated[AnyPolicy | None, NotNull] = None
    """How houses are billed."""


class SimulationPolicy(StoredModel):
    """A policy under a name, and the tariff that it stands for."""

    id: UUID
    """Its id."""
    name: str
    """What people call it."""
    policy: AnyPolicy
    """How houses are billed."""
    tariff_document: Document | None
    """The native tariff that it stands for, on the clock of each house's own zone; null for a
    `TARIFF`, whose document is the version's."""

    @classmethod
    def of(cls, stored: Stored[domain.NamedPolicy]) -> Self:
        """The policy as the API shows it."""
        named = stored.resource
        policy = POLICIES.validate_python(named.policy)
        return cls(
            **stamps(stored),
            id=named.id,
            name=named.name,
            policy=policy,
            tariff_document=document_of(policy),
        )


def document_of(policy: Any) -> dict[str, object] | None:
    """The tariff that a policy stands for by itself."""
    made = policy.to_domain()
    return None if isinstance(made, domain.TariffPolicy) else domain.tariff_document(made)


async def chosen_policy(
    read: ReadConnection, tenant_id: str, policy: Any, policy_id: UUID | None
) -> dict[str, Any]:
    """The policy's JSON form, and the id of the stored one that it is a copy of; NotFound for a
    policy that is not there."""
    if policy_id is not None:
        stored = await handlers.load(read, tenant_id, policy_id)
        return {"policy": stored.resource.policy, "policy_id": policy_id}
    return {"policy": policy_json(policy), "policy_id": None}


async def used_tariff(services: Services, tenant_id: str, policy: Mapping[str, Any]) -> UsedTariff:
    """The tariff that a stored policy stands for; of a `TARIFF` its version as it is now."""
    made = POLICIES.validate_python(policy)
    document = document_of(made)
    if document is not None:
        return UsedTariff(document)
    return await services.fetch_tariff(tenant_id, made.tariff_version_id)


async def used_prices(
    services: Services, tenant_id: str, tariffs: Sequence[UsedTariff], window: Period
) -> PriceDays:
    """The prices that bills of a window need by these tariffs, as they are now."""
    return {
        code: await services.fetch_prices(tenant_id, code, days_around(window))
        for code in codes_of(tariffs)
    }


async def _sorted_page(
    paging: Paging,
    sort: Annotated[Sort, Query(description="The order; `-` turns it round")] = "created_at",
) -> SortedPage:
    return SortedPage(paging, sort)


Sorted = Annotated[SortedPage, Depends(_sorted_page)]


@router.post("", status_code=201)
async def create_simulation_policy(
    new: NewPolicy, db: Db, cause: WriteCause, now: Now, response: Response
) -> SimulationPolicy:
    """Store a policy; the same again answers 200 with what exists."""
    named = domain.NamedPolicy(new.id or new_id(), new.name, policy_json(new.policy))
    async with transaction(db, tenant=cause.tenant_id) as tx:
        stored, created = await handlers.create(tx, cause.tenant_id, named, now)
    location = f"/v1/simulation-policies/{named.id}"
    return answer_created(response, stored, SimulationPolicy.of, created=created, location=location)


@router.get("")
async def list_simulation_policies(
    db: Db,
    caller: Reader,
    page: Sorted,
    type: Annotated[PolicyType | None, Query(description="Of this type only")] = None,  # noqa: A002 - as the field
) -> Page[SimulationPolicy]:
    """Policies, oldest first unless another order is asked for."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_policies(read, caller.tenant_id, page.position(), type)
    return page.cut(rows, SimulationPolicy.of)


@router.get("/{policy_id}")
async def get_simulation_policy(
    policy_id: PolicyId, db: Db, caller: Reader, response: Response
) -> SimulationPolicy:
    """One policy, with the tariff that it stands for."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await handlers.load(read, caller.tenant_id, policy_id)
    return answer(response, stored, SimulationPolicy.of)


@router.put("/{policy_id}")
async def replace_simulation_policy(
    policy_id: PolicyId,
    terms: PolicyTerms,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> SimulationPolicy:
    """Put another policy in its place; runs that have a copy of it stay as they are."""
    changes = {"name": terms.name, "policy": policy_json(terms.policy)}
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.load(tx, cause.tenant_id, policy_id, lock=True)
        if_match.check(current.version)
        changed = await handlers.change(tx, cause.tenant_id, current, changes, now)
    return answer(response, changed, SimulationPolicy.of)


@router.patch("/{policy_id}")
async def change_simulation_policy(
    policy_id: PolicyId,
    change: PolicyChange,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: RequiredMatch,
    response: Response,
) -> SimulationPolicy:
    """Change what is named; runs that have a copy of it stay as they are."""
    changes = change.changes()
    if change.policy is not None:
        changes["policy"] = policy_json(change.policy)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.load(tx, cause.tenant_id, policy_id, lock=True)
        if_match.check(current.version)
        changed = await handlers.change(tx, cause.tenant_id, current, changes, now)
    return answer(response, changed, SimulationPolicy.of)


@router.delete("/{policy_id}", status_code=204)
async def delete_simulation_policy(
    policy_id: PolicyId, db: Db, cause: WriteCause, if_match: RequiredMatch
) -> None:
    """Delete a policy; runs that have a copy of it stay as they are."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await handlers.load(tx, cause.tenant_id, policy_id, lock=True)
        if_match.check(current.version)
        await store.delete_policy(tx, cause.tenant_id, policy_id)
