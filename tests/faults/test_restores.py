"""A service whose database is put back to an earlier copy says what it had said.

Each of the four that publish, and then all together, while the broker keeps its log.
"""

import random
import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from faults.checker import Block
from faults.harness import System, connected, running_system
from faults.polling import until_nothing
from faults.state import load_records, unfinished
from faults.workload import Workload, correction, days_of
from gridtally.cli.reconciliation import reconcile_until_stable
from gridtally.local_stack.demo.gateway import Site

RESTORED = ("tariff", "ledger", "ingest", "billing")
HOMES_BEFORE, HOMES = 3, 6
LIMIT_S = 120.0
PATIENCE_S = 20.0
PLANTED_PATIENCE_S = 2.0
PUBLISHED = (
    "invoice.issued.v1",
    "credit_note.issued.v1",
    "invoice.voided.v1",
    "customer.changed.v1",
    "agreement.changed.v1",
    "meter.registered.v1",
    "property.changed.v1",
    "payment.recorded.v1",
    "transaction.recorded.v1",
    "period.closed.v1",
    "usage.recorded.v1",
    "tariff.published.v1",
)
FACTS = {
    "billing": {
        "invoice": "id, number, customer_id, total, issued_at, brought_forward",
        "credit_note": "id, number, invoice_id, total, issued_at",
        "customer": "id, name, currency, version",
        "agreement": "id, meter_id, start_on, end_on, version",
        "issued_total": "customer_id, currency, total",
        "number_series": "series, issued",
    },
    "ledger": {
        "transaction": "id, kind, reference, total, occurred_at",
        "property": "id, name, version",
        "meter": "id, property_id, name, version",
        "open_item": "id, total, allocated, voided",
    },
    "ingest": {"period": "agreement_id, start_on, revision, digest, closed_at"},
    "tariff": {
        "tariff": "id, code, name, last_number",
        "tariff_version": "id, number, status, effective_from",
    },
}
"""By service and table what must be the same after a restore."""
PLANTED = {
    "billing": (
        """
        UPDATE invoice SET net = net {sign} 1, total = total {sign} 1
         WHERE tenant_id = $1 AND id = (
               SELECT id FROM invoice AS i WHERE tenant_id = $1 AND NOT EXISTS (
                      SELECT FROM credit_note WHERE invoice_id = i.id) ORDER BY id LIMIT 1)
        """,
        "live invoices = receivable",
    ),
    "ledger": (
        """
        UPDATE transaction SET total = total {sign} 1
         WHERE tenant_id = $1 AND id = (
               SELECT id FROM transaction
                WHERE tenant_id = $1 AND kind = 'invoice' ORDER BY id LIMIT 1)
        """,
        "debits = credits",
    ),
    "ingest": (
        "UPDATE intake_count SET readings_new = readings_new {sign} 1 WHERE tenant_id = $1",
        "new values = values stored",
    ),
}
"""By service a contradiction, planted with + and taken back with -, and what shows it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a tenant's services have stored and published."""

    facts: dict[str, set[str]]
    events: dict[tuple[str, bytes], set[bytes | None]]

    def contradictions(self, later: "Said") -> list[str]:
        """Where what is there later is not what was told, or an event was told in two ways."""
        differing = [
            f"{table}: {row}"
            for table, rows in self.facts.items()
            for row in sorted(rows ^ later.facts[table])
        ]
        lost = [f"lost: {key}" for key in self.events.keys() - later.events.keys()]
        in_two_ways = [f"in two ways: {key}" for key, values in later.events.items()
                       if len(values) > 1]  # fmt: skip
        return [*differing, *lost, *in_two_ways]


async def said(system: System, tenant_id: str) -> Said:
    facts: dict[str, set[str]] = {}
    for service, tables in FACTS.items():
        async with connected(system.database_url(service)) as database:
            for table, columns in tables.items():
                rows = await database.fetch(
                    f"SELECT {columns} FROM {table} WHERE tenant_id = $1",  # noqa: S608 - of FACTS
                    tenant_id,
                )
                facts[f"{service}.{table}"] = {str(dict(row)) for row in rows}
    events: defaultdict[tuple[str, bytes], set[bytes | None]] = defaultdict(set)
    for record in await load_records(system.locations.bootstrap, tenant_id, *PUBLISHED):
        events[record.topic, dict(record.headers)["ce_id"]].add(record.value)
    return Said(facts, dict(events))


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system(ANNOUNCE_DELAY_S="0.2", REVISION_DELAY_S="0.2") as running:
        yield running


def months(sites: Sequence[Site], chance: random.Random) -> list[Block]:
    return [block for site in sites for block in days_of(site, chance)]


async def pay(workload: Workload, site: Site) -> Any:
    """A payment over HTTP, of a customer who has no invoice: it is credit."""
    body = {
        "customer_id": str(site.home.customer_id),
        "currency": site.home.plan.document["currency"],
        "amount": "12.50",
        "reference": "R 1",
        "occurred_at": "2025-04-06T00:00:00Z",
    }
    return await workload.api.post("ledger", "/v1/payments", body)


async def breaches_with_planted(system: System, workload: Workload, service: str) -> list[str]:
    """What `gridtally verify` finds while this service's database contradicts the others."""
    statement, _ = PLANTED[service]
    async with connected(system.database_url(service)) as database:
        # no trigger and no foreign key is asked
        await database.execute("SET session_replication_role = replica")
        await database.execute(statement.format(sign="+"), workload.tenant_id)
        findings = await reconcile_until_stable(workload.api, patience_s=PLANTED_PATIENCE_S)
        await database.execute(statement.format(sign="-"), workload.tenant_id)
    return [finding.what for finding in findings if finding.is_breach]


async def test_no_restored_service_contradicts_what_it_had_said(system):
    chance = random.Random(3)
    tenants = f"restore-{secrets.token_hex(3)}", f"payer-{secrets.token_hex(3)}"
    async with system.tenant(tenants[0]) as workload, system.tenant(tenants[1]) as payer:
        sites = workload.sites(HOMES)
        await workload.register(sites[:HOMES_BEFORE])
        early = months(sites[:HOMES_BEFORE], chance)
        await workload.send(early)
        await payer.register(payer.sites(1))
        assert await system.settled(workload.expected, limit_s=LIMIT_S) == []
        await system.copy_databases(*RESTORED)

        await workload.register(sites[HOMES_BEFORE:])
        await workload.send(months(sites[HOMES_BEFORE:], chance))
        assert await system.settled(workload.expected, limit_s=LIMIT_S) == []
        await workload.send([correction(early[0], slot=7)])
        await pay(payer, payer.registered[0])
        await until_nothing(lambda: unfinished(system.locations, tenants[1]))
        assert await system.settled(workload.expected, limit_s=LIMIT_S) == []
        before = [await said(system, tenant_id) for tenant_id in tenants]

        for services in (*((service,) for service in RESTORED), RESTORED):
            await system.restore_databases(*services)
            assert await system.settled(workload.expected, limit_s=LIMIT_S) == [], services
            await until_nothing(lambda: unfinished(system.locations, tenants[1]))
            for tenant_id, known in zip(tenants, before, strict=True):
                now = await said(system, tenant_id)
                assert known.contradictions(now) == [], (services, tenant_id)
            findings = await reconcile_until_stable(workload.api, patience_s=PATIENCE_S)
            assert [finding for finding in findings if not finding.holds] == [], services
        for service, (_, what) in PLANTED.items():
            breaches = await breaches_with_planted(system, workload, service)
            assert any(what in breach for breach in breaches), service
        assert system.ended_by_themselves() == []
