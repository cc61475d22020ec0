"""Measures webhooks: messages that are due, from PostgreSQL to endpoints and marked as delivered.

The receiver is a process of its own that answers at once; the processor time is that of the process
which delivers. A second case has one endpoint more, which never answers.
"""

import asyncio
import secrets
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

import uvloop
from script import Clock, Figures, Rate, arguments, own_database, peak_memory_mb, sized, tell

from gridtally.billing.domain.webhooks import Endpoint, NewMessage
from gridtally.billing.handlers.webhooks import Deliverer
from gridtally.billing.store import webhooks as store
from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.local_stack.process import LOOPBACK
from gridtally.webhooks.addresses import networks
from gridtally.webhooks.sender import Sender

TENANT = "bench"
ENDPOINTS = 10
MESSAGES = sized(10_000)
ROUNDS = 3
WAIT_S = 0.25
TURNS = 200
"""After so many in which nothing is due something is wrong."""
BODY = b'{"type":"invoice.issued.v1","timestamp":"2025-02-01T00:00:00Z","data":{"pad":"%s"}}' % (
    b"x" * 3_000
)
"""About as long as an invoice of one meter."""


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    """The port of a receiver, and its process."""
    script = Path(__file__).with_name("webhook_receiver.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline()), process
    finally:
        process.stdin.close()
        await process.wait()


async def received(process: asyncio.subprocess.Process) -> tuple[int, int]:
    """How many messages came, and how many different ones; it receives no more."""
    answered, _ = await process.communicate(b"")
    count, different = map(int, answered.split())
    return count, different


async def with_endpoint(database: Database, url: str) -> UUID:
    """A new endpoint for all types."""
    endpoint = Endpoint(uuid4(), url, (), None)
    async with transaction(database, tenant=TENANT) as tx:
        await store.insert_endpoint(tx, TENANT, endpoint, datetime.now(UTC))
    return endpoint.id


async def with_messages(database: Database, endpoints: Sequence[UUID], count: int) -> None:
    """So many messages that are due, in turn for each endpoint."""
    now = datetime.now(UTC)
    messages = [
        NewMessage(TENANT, uuid4(), endpoints[n % len(endpoints)], "invoice.issued.v1", BODY, now)
        for n in range(count)
    ]
    async with transaction(database, tenant=TENANT) as tx:
        await store.insert_messages(tx, messages)


async def deliver(database: Database, sender: Sender, count: int) -> Rate:
    """Deliver as the service's loop does, until so many messages are marked."""
    deliverer = Deliverer(database, sender, secrets.token_bytes(32), lambda: datetime.now(UTC))
    clock = Clock()
    idle = 0
    while idle < TURNS:
        idle = 0 if await deliverer.begin_due() else idle + 1
        await deliverer.wait(WAIT_S)
        if idle and await delivered(database) >= count:
            break
    else:
        sys.exit("wrong: messages are left that nobody takes")
    return clock.rate(count)


async def delivered(database: Database) -> int:
    """How many messages are marked as delivered."""
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        count = await tx.raw.fetchval(
            "SELECT count(*) FROM webhook_message WHERE state = 'delivered'"
        )
    return int(count)


async def run(url: str, *, silent: bool) -> Rate:
    """One round with a receiver of its own; ends the benchmark where a message was lost."""
    async with (
        await Database.connect(url, application="bench") as database,
        receiver() as (port, process),
        Sender(networks("127.0.0.0/8")) as sender,
    ):
        base = f"http://{LOOPBACK}:{port}/hook"
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            await tx.raw.execute("DELETE FROM webhook_endpoint")
        endpoints = [await with_endpoint(database, f"{base}/{n}") for n in range(ENDPOINTS)]
        nothing = await asyncio.start_server(lambda *_: asyncio.sleep(60), LOOPBACK, 0)
        if silent:
            dead = await with_endpoint(
                database, f"http://{LOOPBACK}:{nothing.sockets[0].getsockname()[1]}/"
            )
            await with_messages(database, [dead], MESSAGES // 10)
        await with_messages(database, endpoints, MESSAGES)
        rate = await deliver(database, sender, MESSAGES)
        nothing.close()
        came, different = await received(process)
        if different != MESSAGES:
            sys.exit(f"wrong: {different} messages came of {MESSAGES}")
        if came != different:
            sys.exit(f"wrong: {came - different} messages came twice")
    return rate


def measured(url: str, *, silent: bool) -> dict[str, float]:
    """The median of some rounds."""
    rates = [uvloop.run(run(url, silent=silent)) for _ in range(ROUNDS)]
    return {
        "per_s": round(median(rate.per_s for rate in rates)),
        "process_us": round(median(rate.cpu_us for rate in rates)),
    }


def main() -> None:
    """Measure both cases and tell."""
    parsed = arguments(__doc__).parse_args()
    with own_database("billing") as url:
        figures: Figures = {
            f"to {ENDPOINTS} endpoints": measured(url, silent=False),
            f"to {ENDPOINTS} endpoints, beside one that never answers": measured(url, silent=True),
            "the process": {"peak_memory_mb": peak_memory_mb()},
        }
    tell(f"{MESSAGES} messages of {len(BODY)} bytes", figures, parsed.json)


if __name__ == "__main__":
    main()
