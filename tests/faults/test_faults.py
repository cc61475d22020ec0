"""Everything is killed in turn while readings stream and periods close; nothing is lost or twice.

`GRIDTALLY_FAULTS_SEED` repeats a run: the same faults in the same order after the same pauses.
"""

import asyncio
import os
import random
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest

from faults.harness import System, running_system
from faults.workload import Workload, irregular_month
from gridtally.cli.installation import SERVICES
from gridtally.local_stack.demo.gateway import Site

FAULTS_MIN = 28
HOMES = 200
REGISTERED_AT_ONCE = 15
PART_S = 6.0
"""How long a fault's share of the stream takes."""
RUN_LIMIT_S = 1_500.0
DRAIN_LIMIT_S = 60.0
BROKER, DATABASE, CONNECTIONS = "kafka", "postgres", "connections"


@dataclass
class Strikes:
    """The faults of one run, by seed, and how far they have come."""

    system: System
    chance: random.Random
    say: Callable[[str], None]
    reported: list[str] = field(default_factory=list)
    part_begun_s: float = field(default_factory=time.monotonic)
    begun_s: float = field(default_factory=time.monotonic)

    @property
    def progress(self) -> float:
        """From 0 to 1: the faults that are over, and how far the share of the next one is."""
        share = min(1.0, (time.monotonic() - self.part_begun_s) / PART_S)
        return (len(self.reported) + share) / FAULTS_MIN

    def victims(self) -> list[tuple[str, ...]]:
        """Each part in turn, in another order each time; some two at once, and connections."""
        parts = [*((part,) for part in (*SERVICES, DATABASE, CONNECTIONS)), (DATABASE, "billing")]
        if self.system.keeps_its_log:
            parts += [(BROKER,), (BROKER, "ingest")]
        order: list[tuple[str, ...]] = []
        while len(order) < FAULTS_MIN:
            order += self.chance.sample(parts, k=len(parts))
        return order[:FAULTS_MIN]

    async def run(self) -> None:
        """One fault after the other; what was killed comes back after a short pause."""
        for victims in self.victims():
            await asyncio.sleep(self.chance.uniform(0.5, PART_S - 1))
            at_s = time.monotonic() - self.begun_s
            fault = await (self.cut() if CONNECTIONS in victims else self.kill(victims))
            self.say(f"{at_s:6.1f} s  {fault}")
            assert self.system.ended_by_themselves() == []
            self.reported.append(fault)
            self.part_begun_s = time.monotonic()

    async def cut(self) -> str:
        """Half of the connections to the database."""
        return f"{await self.system.drop_connections(self.chance)} connections cut"

    async def kill(self, victims: Sequence[str]) -> str:
        """SIGKILL for all at once; servers are named first, since services wait for them."""
        killed_s = time.monotonic()
        for victim in victims:
            self.system.kill(victim)
        await asyncio.sleep(self.chance.uniform(0, 2))
        for victim in victims:
            await self.system.restart(victim)
        return f"kill -9 {' and '.join(victims)}, back after {time.monotonic() - killed_s:.1f} s"


async def register_meanwhile(workload: Workload, sites: Sequence[Site], strikes: Strikes) -> None:
    """A few homes at a time, all of them by the middle of the run."""
    while len(workload.registered) < len(sites):
        done = len(workload.registered)
        if strikes.progress >= 0.5 * done / len(sites):
            await workload.register(sites[done : done + REGISTERED_AT_ONCE])
        await asyncio.sleep(0.2)


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as running:
        yield running


@pytest.fixture
def say(capsys) -> Callable[[str], None]:
    """Tells people how the run goes, also when it passes; a worker of xdist's is heard only by what
    the report of a failure shows."""
    is_worker = "PYTEST_XDIST_WORKER" in os.environ

    def say(line: str) -> None:
        with nullcontext() if is_worker else capsys.disabled():
            sys.stdout.write(f"\n{line}")

    return say


async def test_nothing_is_lost_or_done_twice_whatever_is_killed(system, say):
    seed = int(os.environ.get("GRIDTALLY_FAULTS_SEED") or secrets.randbelow(10**6))
    say(f"GRIDTALLY_FAULTS_SEED={seed}")
    chance = random.Random(seed)
    async with system.tenant("faults") as workload:
        sites = workload.sites(HOMES)
        plan = [due for site in sites for due in irregular_month(site, chance)]
        strikes = Strikes(system, chance, say)
        async with asyncio.timeout(RUN_LIMIT_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(register_meanwhile(workload, sites, strikes))
            tasks.create_task(workload.stream(plan, lambda: strikes.progress))
            tasks.create_task(strikes.run())
        calm_s = time.monotonic()
        found = await system.settled(workload.expected, limit_s=DRAIN_LIMIT_S)
        say(f"all drained and checked {time.monotonic() - calm_s:.1f} s after the last fault")
        assert found == []
        assert system.ended_by_themselves() == []
        assert len(workload.registered) == HOMES
        assert len(strikes.reported) >= FAULTS_MIN
