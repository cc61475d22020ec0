"""Collective invoices are issued and corrected while billing and its database are killed: each is
issued once and credited once.

`GRIDTALLY_FAULTS_SEED` repeats a run: the same corrections in the same order after the same pauses.
"""

import asyncio
import os
import random
import secrets
from collections.abc import Iterator, Sequence

import pytest

from faults.harness import System, running_system
from faults.workload import Workload, correction, days_of
from gridtally.kernel.ids import derive_id
from gridtally.local_stack.demo.gateway import Site
from gridtally.local_stack.demo.portfolio import INTERVAL_WH_MAX, PERIOD, PLANS
from gridtally.local_stack.demo.profiles import MINUTES

CUSTOMERS = 2
SECTIONS = 4
CORRECTIONS = 4
STRIKES = 2
"""The second comes just after billing is back, when it takes up what has waited."""
KILLED_WITHIN_S = 1.0
LIMIT_S = 180.0


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as running:
        yield running


async def registered(workload: Workload) -> list[list[Site]]:
    """The homes of each customer, all of one plan; their invoices are collective."""
    api, run = workload.api, workload.tenant_id
    count = CUSTOMERS * SECTIONS * len(PLANS)
    sites = [site for site in workload.sites(count) if site.home.plan is PLANS[0]]
    by_customer = [sites[first : first + SECTIONS] for first in range(0, len(sites), SECTIONS)]
    channel = {"minutes": MINUTES, "interval_wh_max": INTERVAL_WH_MAX}
    for own in by_customer:
        customer_id = str(own[0].home.customer_id)
        customer = {"id": customer_id, "name": "Landlord", "currency": "EUR"}
        await api.post("billing", "/v1/customers", customer | {"invoicing": "collective"})
        properties = [
            {
                "id": str(site.home.property_id),
                "name": f"Home {site.home.number}",
                "zone": site.home.plan.location.zone,
                "connected_kw": "11",
                "channels": {"total": [{"flow": flow, **channel} for flow in site.home.flows]},
            }
            for site in own
        ]
        await api.post("ledger", "/v1/properties/batch", {"items": properties})
        agreements = [
            {
                "id": str(site.home.agreement_id),
                "customer_id": customer_id,
                "meter_id": str(site.meter_id),
                "tariff_id": str(derive_id("demo tariff", run, site.home.plan.code)),
                "start_on": PERIOD.start_on.isoformat(),
                "end_on": PERIOD.end_on.isoformat(),
            }
            for site in own
        ]
        await api.post("billing", "/v1/agreements/batch", {"items": agreements})
    workload.registered += sites
    return by_customer


async def strike(system: System, victims: Sequence[str], chance: random.Random) -> None:
    """kill -9 after a pause, and back, some times in turn."""
    for _ in range(STRIKES):
        await asyncio.sleep(chance.uniform(0, KILLED_WITHIN_S))
        for victim in victims:
            system.kill(victim)
        for victim in victims:
            await system.restart(victim)


async def test_each_collective_invoice_is_issued_and_corrected_once(system):
    seed = int(os.environ.get("GRIDTALLY_FAULTS_SEED") or secrets.randbelow(10**6))
    chance = random.Random(seed)
    async with system.tenant("collective") as workload:
        blocks = []
        for own in await registered(workload):
            month = [block for site in own for block in days_of(site, chance)]
            blocks += month
            await asyncio.gather(workload.send(month), strike(system, ("billing",), chance))
            assert system.ended_by_themselves() == [], seed
        assert await system.settled(workload.expected, limit_s=LIMIT_S) == [], seed
        for number, block in enumerate(chance.sample(blocks, CORRECTIONS)):
            victims = ("postgres", "billing") if number % 4 == 3 else ("billing",)
            corrected = correction(block, chance.randrange(len(block.values)))
            await asyncio.gather(workload.send([corrected]), strike(system, victims, chance))
            assert system.ended_by_themselves() == [], seed
        assert await system.settled(workload.expected, limit_s=LIMIT_S) == [], seed
        page = await workload.api.get("billing", "/v1/invoices", limit=200)
        live = [own for own in page["items"] if own["state"] == "issued"]
        assert len(live) == CUSTOMERS, seed
        for invoice in live:
            detail = await workload.api.get("billing", f"/v1/invoices/{invoice['id']}")
            assert len(detail["sections"]) == SECTIONS, seed
        notes = (await workload.api.get("billing", "/v1/credit-notes", limit=200))["items"]
        assert len(notes) == len(page["items"]) - CUSTOMERS > 0, seed
        for service in ("billing", "ledger"):
            agrees = await workload.api.get(service, "/v1/reconciliation")
            assert agrees["ok"], (service, seed)
