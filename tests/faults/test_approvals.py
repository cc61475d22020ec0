"""Drafts are approved many at once while billing and its database are killed: each is issued once.

`GRIDTALLY_FAULTS_SEED` repeats a run: the same drafts in the same order after the same pauses.
"""

import asyncio
import os
import random
import secrets
from collections.abc import Iterator, Sequence

import pytest

from faults.harness import System, running_system
from faults.polling import until
from faults.workload import Workload, days_of
from gridtally.cli.api import Api
from gridtally.cli.errors import CommandError

HOMES = 40
ROUNDS = 8
AT_ONCE = 5
KILLED_WITHIN_S = 0.4
LIMIT_S = 120.0


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as running:
        yield running


async def fetch_drafts(api: Api, state: str | None = None) -> list[str]:
    """The ids of the drafts of this state."""
    filters = {"limit": 200} | ({} if state is None else {"state": state})
    page = await api.get("billing", "/v1/invoice-drafts", **filters)
    return [draft["id"] for draft in page["items"]]


async def approve(api: Api, path: str, body: dict[str, object] | None = None) -> None:
    """Approve; the answer may be lost with the process that would have given it."""
    try:
        await api.post("billing", path, body)
    except CommandError:
        return


async def strike(system: System, victims: Sequence[str], pause_s: float) -> None:
    """kill -9 after a pause, and back."""
    await asyncio.sleep(pause_s)
    for victim in victims:
        system.kill(victim)
    for victim in victims:
        await system.restart(victim)


async def drafted_month(workload: Workload, chance: random.Random) -> list[str]:
    """A month of homes whose bills are drafts; their ids."""
    api = workload.api
    await api.call("billing", "PUT", "/v1/invoicing-terms", json_body={"approval": "required"})
    sites = workload.sites(HOMES)
    await workload.register(sites)
    for site in sites:
        await workload.send(days_of(site, chance))

    async def all_are_drafts() -> bool:
        return len(await fetch_drafts(api, "pending")) == HOMES

    await until("a draft for each home", all_are_drafts, limit_s=LIMIT_S)
    return await fetch_drafts(api, "pending")


async def test_each_approved_draft_is_issued_once_whatever_is_killed(system):
    seed = int(os.environ.get("GRIDTALLY_FAULTS_SEED") or secrets.randbelow(10**6))
    chance = random.Random(seed)
    async with system.tenant("approvals") as workload:
        api = workload.api
        drafts = await drafted_month(workload, chance)
        chance.shuffle(drafts)
        for number in range(ROUNDS):
            some = drafts[number * AT_ONCE : (number + 1) * AT_ONCE]
            victims = ("postgres", "billing") if number % 4 == 3 else ("billing",)
            approvals = [
                approve(api, f"/v1/invoice-drafts/{id_}/approve") for id_ in (*some, some[0])
            ]
            if number == ROUNDS - 1:
                approvals.append(approve(api, "/v1/invoice-drafts/approve", {}))
            pause_s = chance.uniform(0, KILLED_WITHIN_S)
            await asyncio.gather(*approvals, strike(system, victims, pause_s))
            assert system.ended_by_themselves() == [], seed

        async def all_are_approved() -> bool:
            await approve(api, "/v1/invoice-drafts/approve", {})
            return await fetch_drafts(api) == []

        await until("every draft is issued", all_are_approved, limit_s=LIMIT_S)
        assert await system.settled(workload.expected, limit_s=LIMIT_S) == [], seed
        page = await api.get("billing", "/v1/invoices", limit=200)
        invoices = page["items"]
        assert {invoice["state"] for invoice in invoices} == {"issued"}
        assert sorted(int(invoice["number"].rpartition("-")[2]) for invoice in invoices) == [
            *range(1, HOMES + 1)
        ]
        assert {invoice["id"] for invoice in invoices} == set(drafts)
        assert all(invoice["approved_by"] and invoice["approved_at"] for invoice in invoices)
