"""The disk of the databases is full: services answer 503 and go on, and nothing is lost or twice.

The databases lie on a small file system of memory, which needs the right to mount one: run as root,
or under `unshare --user --map-root-user --mount`.
"""

import asyncio
import random
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from faults.harness import System, connected, running_system
from faults.polling import until
from faults.workload import days_of
from gridtally.cli.api_keys import new_key, register_key
from gridtally.cli.installation import SCOPES, SERVICES, Installation
from gridtally.messaging.progress import STALLED_AFTER_S

DISK = "320m"
HOMES_BEFORE, HOMES = 4, 8
FULL_S = STALLED_AFTER_S + 15
"""Longer than the watchdog waits for a task that moves nothing."""
DRAIN_LIMIT_S = 240.0
PIECE = bytes(64 * 1024)
ROWS = 500
TRIES_MAX = 200
FILL = "CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 2000)"


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small file system, until the servers that use it have ended."""
    folder = Path(tempfile.mkdtemp(prefix="gridtally-disk-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "disk", str(folder)]
    mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    assert mounted.returncode == 0, f"{mounted.stderr}: see this file's first lines"
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


@pytest.fixture
def system(disk) -> Iterator[System]:
    del disk  # it must outlive the servers
    with running_system(ANNOUNCE_DELAY_S="0.2", REVISION_DELAY_S="0.2") as running:
        yield running


def fill(path: Path) -> None:
    """Until not one byte more can be written."""
    with path.open("ab", buffering=0) as file:
        for size in (len(PIECE), 1):
            try:
                while file.write(PIECE[:size]):
                    pass
            except OSError:
                continue


def homes(number: int) -> dict[str, object]:
    items = [
        {"name": f"{number}-{row} {'n' * 300}", "address": "a" * 400, "zone": "Europe/Berlin"}
        for row in range(ROWS)
    ]
    return {"items": items}


async def refused(client: httpx.AsyncClient, made: list[int]) -> httpx.Response:
    """The first write that is refused; what was made before it is counted."""
    for number in range(TRIES_MAX):
        answer = await client.post("/v1/properties/batch", json=homes(number))
        if answer.status_code != 201:
            return answer
        made.append(len(answer.json()["items"]))
    raise AssertionError("the disk is never full")


def refused_or_read(answer: httpx.Response) -> None:
    """PostgreSQL itself lets nobody connect anew where it must write a cache of its catalogue."""
    assert answer.status_code in (200, 503), answer.text
    if answer.status_code == 503:
        assert answer.json()["code"] == "unavailable"


async def key_of(system: System, tenant_id: str) -> str:
    """One more key of the tenant, in every service."""
    stack, key = system.stack, new_key()
    found = Installation(stack.urls, stack.servers.bootstrap, stack.operator_token, key)
    await register_key(found, key, tenant_id=tenant_id, name="disk", scopes=SCOPES)
    return key


async def count(system: System, tenant_id: str) -> int:
    async with connected(system.database_url("ledger")) as database:
        rows = "SELECT count(*) FROM property WHERE tenant_id = $1 AND address LIKE 'aaa%'"
        return int(await database.fetchval(rows, tenant_id))


async def is_full(system: System, service: str) -> bool:
    """Whether PostgreSQL itself says of the database that there is no room."""
    try:
        async with connected(system.database_url(service)) as database:
            await database.execute(FILL)
    except asyncpg.DiskFullError:
        return True
    return False


async def test_a_full_disk_is_survived(system, disk):
    chance, tenant_id = random.Random(5), f"disk-{secrets.token_hex(3)}"
    folder = disk / "tablespace"
    folder.mkdir(mode=0o700)
    await system.move_databases(folder, *SERVICES)
    async with system.tenant(tenant_id) as workload:
        sites = workload.sites(HOMES)
        await workload.register(sites)
        months = [block for site in sites for block in days_of(site, chance)]
        headers = {"authorization": f"Bearer {await key_of(system, tenant_id)}"}
        half = len(months) * HOMES_BEFORE // HOMES
        await workload.send(months[:half])
        await asyncio.to_thread(fill, disk / "filler")
        full_s, made = time.monotonic(), []
        for service in SERVICES:
            assert await is_full(system, service), service

        sending = asyncio.create_task(workload.send(months[half:]))
        async with httpx.AsyncClient(
            base_url=system.stack.urls["ledger"], headers=headers, timeout=60
        ) as ledger:
            answer = await refused(ledger, made)
            assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
            assert int(answer.headers["retry-after"]) >= 1
            while time.monotonic() < full_s + FULL_S:
                for service in SERVICES:
                    url = system.stack.urls[service]
                    assert (await ledger.get(f"{url}/health/live")).status_code == 200, service
                    refused_or_read(await ledger.get(f"{url}/v1/me"))
                refused_or_read(await ledger.get("/v1/properties"))
                assert (await ledger.post("/v1/properties/batch", json=homes(0))).status_code == 503
                assert system.ended_by_themselves() == []
                await asyncio.sleep(1)
            (disk / "filler").unlink()
            assert await count(system, tenant_id) == sum(made), "refused is not done"

            async def is_well() -> bool:
                return (await ledger.post("/v1/properties/batch", json=homes(-1))).is_success

            await until("writes again", is_well)
            made.append(ROWS)
        await sending
        assert await system.settled(workload.expected, limit_s=DRAIN_LIMIT_S) == []
        assert await count(system, tenant_id) == sum(made)
        assert system.ended_by_themselves() == []
