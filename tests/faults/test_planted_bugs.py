"""The checker bites: each planted bug is found, and the same run without it is clean.

Every run is a tenant of its own with a few homes; the fault strikes at the very moment at which
the bug shows.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Iterator, Set
from contextlib import nullcontext
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaProducer

from faults.checker import Block, subjects_of
from faults.harness import (
    System,
    connected,
    running_system,
    slow_commit,
    stalled_writes,
    without_constraint,
)
from faults.polling import until, until_nothing
from faults.state import CONSUMES, load_records, unfinished
from faults.workload import Workload, correction, days_of

HOMES = 4
LIMIT_S = 240.0
UNCHANGED_S = 5.0
"""With a bug planted nothing more is coming when it shows and nothing has moved for so long."""
RELAY_GIVES_UP_S = 180.0
"""With an earlier event in hand it waits 30 s for the broker; with margin for a busy machine."""

Scenario = Callable[[System, Workload], Awaitable[None]]


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system(ANNOUNCE_DELAY_S="0.2", REVISION_DELAY_S="0.2") as running:
        yield running


async def readings_while_killed(system: System, workload: Workload) -> None:
    """Ingest dies while it stores readings, just before it would commit."""
    await workload.register(workload.sites(HOMES))
    blocks = month(workload)
    await workload.send(blocks[:-HOMES])
    await quiet(system, workload)
    async with stalled_writes(system.database_url("ingest"), "intake_count") as tried:
        await workload.send(blocks[-HOMES:])
        await tried()
        system.kill("ingest")
    await system.restart("ingest")


async def invoices_while_killed(system: System, workload: Workload) -> None:
    """Billing dies while it issues invoices, just before it stores them."""
    await workload.register(workload.sites(HOMES))
    async with stalled_writes(system.database_url("billing"), "invoice") as tried:
        await workload.send(month(workload))
        await tried()
        system.kill("billing")
    await system.restart("billing")


async def a_commit_that_takes_long(system: System, workload: Workload) -> None:
    """Of two agreements the one that was made first is committed last."""
    url = system.database_url("billing")
    slow, quick = workload.sites(2)
    key = f"{workload.tenant_id}:{slow.home.agreement_id}"
    async with slow_commit(url, "outbox", f"NEW.key = '{key}'") as tried:
        registering = asyncio.create_task(workload.register([slow]))
        await tried()
        await workload.register([quick])
        await until("the quick agreement's event", lambda: outbox_is_empty(url))
    await registering
    await workload.send(month(workload))


async def a_dead_broker(system: System, workload: Workload) -> None:
    """Agreements are made while there is no broker, and billing dies with some of them in hand."""
    assert system.keeps_its_log, "the stand-in for Kafka forgets everything when it is killed"
    url = system.database_url("billing")
    async with system.killed("kafka"):
        await workload.register(workload.sites(HOMES))
        keys = [f"{workload.tenant_id}:{site.home.agreement_id}" for site in workload.registered]

        async def some_in_hand() -> bool:
            return await untouched_in_outbox(url, keys) < len(keys)

        await until("the relay to take agreements", some_in_hand, limit_s=RELAY_GIVES_UP_S)
        system.kill("billing")
    await system.revive()
    await workload.send(month(workload))


async def everything_delivered_again(system: System, workload: Workload) -> None:
    """All is well, and then everything that services consume is on its topic a second time."""
    await workload.register(workload.sites(HOMES))
    await workload.send(month(workload))
    assert await system.settled(workload.expected, limit_s=LIMIT_S) == []
    bootstrap = system.locations.bootstrap
    topics = {topic for consumed in CONSUMES.values() for topic in consumed}
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for record in await load_records(bootstrap, workload.tenant_id, *topics):
            await producer.send_and_wait(
                record.topic, record.value, record.key, headers=list(record.headers)
            )


async def a_correction_before_its_original(system: System, workload: Workload) -> None:
    """A correction overtakes the block that it corrects."""
    await workload.register(workload.sites(HOMES))
    await quiet(system, workload)
    blocks = month(workload)
    for block in (correction(blocks[0], slot=7), *blocks):
        await workload.send([block])


async def billing_restored(system: System, workload: Workload) -> None:
    """Billing is put back to a copy of when only some of the homes had their invoices."""
    await workload.register(workload.sites(HOMES))
    blocks = month(workload)
    meter_id = workload.registered[0].meter_id
    await workload.send([block for block in blocks if block.meter_id == meter_id])
    await quiet(system, workload)
    await system.copy_databases("billing")
    await workload.send([block for block in blocks if block.meter_id != meter_id])
    assert await system.settled(workload.expected, limit_s=LIMIT_S) == []
    await system.restore_databases("billing")


def month(workload: Workload) -> list[Block]:
    """The month of the registered homes, day by day."""
    chance = random.Random(7)
    months = [days_of(site, chance) for site in workload.registered]
    return sorted((block for days in months for block in days), key=lambda block: block.start_at)


async def quiet(system: System, workload: Workload) -> None:
    """Everything so far has been carried through; homes are known everywhere."""
    await until_nothing(lambda: unfinished(system.locations, workload.tenant_id))


async def outbox_is_empty(url: str) -> bool:
    """Whether no event waits in this database."""
    async with connected(url) as database:
        return await database.fetchval("SELECT count(*) FROM outbox") == 0


async def untouched_in_outbox(url: str, keys: list[str]) -> int:
    """How many of these keys' events wait and are in no relay's hand: their shards are free."""
    async with connected(url) as database:
        rows = await database.fetch(
            "SELECT FROM outbox JOIN outbox_shard AS held USING (shard) WHERE key = ANY($1) "
            "FOR UPDATE OF held SKIP LOCKED",
            keys,
        )
    return len(rows)


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug of `sabotage.py`, the run in which it shows, and what the checker then speaks of.

    `constraint` names a table and the rule of it that must be gone for the bug to show.
    """

    bug: str
    service: str
    scenario: Scenario
    subjects: set[str]
    constraint: tuple[str, str] | None = None


PLANTED = [
    Planted("offset_committed_first", "ingest", readings_while_killed, {"blocks", "readings"}),
    Planted(
        "periods_billed_without_lock",
        "billing",
        everything_delivered_again,
        {"invoices"},
        ("invoice", "invoice_once_per_revision"),
    ),
    Planted("outbox_by_last_seen", "billing", a_commit_that_takes_long, {"announced"}),
    Planted("outbox_deleted_first", "billing", a_dead_broker, {"announced"}),
    Planted(
        "documents_posted_again",
        "ledger",
        everything_delivered_again,
        {"posted", "balance"},
        ("transaction", "transaction_one_per_document"),
    ),
    Planted(
        "duplicates_added",
        "ingest",
        everything_delivered_again,
        {"blocks", "readings"},
        ("reading_block", "reading_block_pkey"),
    ),
    Planted("last_arrival_wins", "ingest", a_correction_before_its_original, {"readings"}),
    Planted("numbers_taken_apart", "billing", invoices_while_killed, {"numbers"}),
    # the last one: it leaves dead letters with the ledger
    Planted("nothing_adopted", "billing", billing_restored, {"announced"}),
]
SCENARIOS = sorted(
    {planted.scenario for planted in PLANTED}, key=lambda scenario: scenario.__name__
)


async def findings(
    system: System, scenario: Scenario, tenant_id: str, subjects: Set[str] = frozenset()
) -> list[str]:
    """What the checker says after the scenario; `subjects` is what it should speak of."""
    await system.revive()  # whatever became of the test before
    async with system.tenant(tenant_id) as workload:
        await scenario(system, workload)
        return await system.settled(
            workload.expected, limit_s=LIMIT_S, subjects=subjects, unchanged_s=UNCHANGED_S
        )


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_without_a_bug_the_checker_finds_nothing(system, scenario):
    assert await findings(system, scenario, f"clean-{secrets.token_hex(3)}") == []


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.bug)
async def test_the_planted_bug_is_found(system, planted):
    tenant_id = f"bug-{secrets.token_hex(3)}"
    url = system.database_url(planted.service)
    weakened = (
        without_constraint(url, *planted.constraint, tenant_id)
        if planted.constraint
        else nullcontext()
    )
    async with weakened, system.sabotaged(planted.service, planted.bug):
        found = await findings(system, planted.scenario, tenant_id, planted.subjects)
    assert planted.subjects <= subjects_of(found), found
