"""Simulations while workers and the database are killed: one result, the same as undisturbed."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from faults.harness import System, connected, running_system
from faults.polling import until
from faults.workload import Workload
from gridtally.contracts.metering import PropertyChanged
from gridtally.kernel.ids import derive_id, new_id
from gridtally.local_stack.server import Server
from gridtally.local_stack.services import Service
from gridtally.messaging import OutgoingMessage

HOUSES = 1_000
TENANT = "simulations"
PROFILE = {
    "latitude": "52.52",
    "longitude": "13.40",
    "tilt_degrees": "30",
    "azimuth_degrees": "180",
    "kwp": "5",
    "annual_kwh": "3500",
}
NET = {"type": "SIMPLE_NET", "retail_price_per_kwh": "0.30", "credit_policy": "carry_forward"}
GROSS = {
    "type": "GROSS_METERING",
    "import_retail_price_per_kwh": "0.30",
    "export_wholesale_price_per_kwh": "0.08",
}
GENERATED = {"source": "generated", "profile": PROFILE, "seed": 7}
RESULTS = {
    "house_bill": "SELECT house_node_id::text, calculated_bill_amount::text, bill_details::text",
    "compared_house": "SELECT scenario, house_node_id::text, amount::text, difference::text, "
    "readings_sha256",
    "scenario_revenue": "SELECT scenario, month_on::text, component_id, amount::text",
    "scenario_peak": "SELECT scenario, peak_wh, peak_at::text",
}


@dataclass(frozen=True, slots=True)
class Worker(Service):
    """A process that only works: one more consumer in simulation's group."""

    def command(self, directory: Path, port: int) -> list[str]:
        """The word `work` where the service has `serve`."""
        del directory, port
        return [sys.executable, "-m", f"gridtally.{self.name}", "work"]


@pytest.fixture
def system() -> Iterator[System]:
    with running_system() as running:
        yield running


@asynccontextmanager
async def second_worker(system: System, folder: Path) -> AsyncIterator[Server]:
    """Another worker beside the service, for the length of the block."""
    program = system.parts["simulation"].program
    assert isinstance(program, Service)
    worker = Server(
        Worker(program.name, program.settings, addresses=program.addresses), folder, None
    )
    await asyncio.to_thread(worker.start)
    try:
        yield worker
    finally:
        await asyncio.to_thread(worker.stop)


async def neighbourhood(workload: Workload) -> UUID:
    """A node with houses below it, as the registry would publish them."""
    root_id = new_id()
    nodes = [(root_id, None), *((new_id(), root_id) for _ in range(HOUSES))]
    await workload.publisher.publish(
        [
            OutgoingMessage.of(
                PropertyChanged(
                    property_id=node_id, name="Home", zone="Europe/Berlin", parent_id=parent_id,
                    version=1,
                ),
                tenant_id=TENANT,
                correlation_id="faults",
                source="/gridtally/ledger",
                event_id=derive_id("faults", node_id),
                occurred_at=datetime.now(UTC),
            )
            for node_id, parent_id in nodes
        ]
    )  # fmt: skip
    return root_id


async def rows(system: System, sql: str, *parameters: object) -> list[tuple[object, ...]]:
    """Rows of simulation's database, seen by its owner."""
    async with connected(system.database_url("simulation")) as connection:
        return [tuple(row) for row in await connection.fetch(sql, *parameters)]


async def status(system: System, run_id: UUID) -> str:
    [(said,)] = await rows(system, "SELECT status FROM run WHERE id = $1", run_id)
    return str(said)


async def chunks_done(system: System, run_id: UUID) -> int:
    sql = "SELECT count(*) FROM run_chunk WHERE run_id = $1"
    [(count,)] = await rows(system, sql, run_id)
    assert isinstance(count, int)
    return count


async def results(system: System, *run_ids: UUID) -> dict[str, list[tuple[object, ...]]]:
    """Everything that the runs came to, in the order of their rows."""
    return {
        table: sorted(
            await rows(system, f"{select} FROM {table} WHERE run_id = ANY ($1)", list(run_ids)),
            key=str,
        )
        for table, select in RESULTS.items()
    }


async def completed(system: System, *run_ids: UUID) -> None:
    async def over() -> bool:
        return all([await status(system, run_id) != "RUNNING" for run_id in run_ids])

    await until("the end of the runs", over, limit_s=300.0)
    assert [await status(system, run_id) for run_id in run_ids] == ["COMPLETED"] * len(run_ids)


async def test_workers_and_the_database_die_and_there_is_one_result(system, tmp_path):
    async with system.tenant(TENANT) as workload:
        root_id = await neighbourhood(workload)

        async def known() -> bool:
            sql = "SELECT count(*) FROM property WHERE tenant_id = $1"
            return await rows(system, sql, TENANT) == [(HOUSES + 1,)]

        await until("the houses", known)
        month = {"billing_cycle_month": 4, "billing_cycle_year": 2025, "name": "faults",
                 "topology_root_node_id": str(root_id)}  # fmt: skip
        api = workload.api
        runs = "/v1/simulation-runs"
        comparisons = "/v1/simulation-comparisons"
        run = await api.post("simulation", runs, month | GENERATED | {"policy": GROSS})
        scenarios = [{"label": "net", "policy": NET}, {"label": "gross", "policy": GROSS}]
        body = month | GENERATED | {"scenarios": scenarios, "months": 6}
        comparison = await api.post("simulation", comparisons, body)
        first = [UUID(run["id"]), UUID(comparison["id"])]
        for path in (f"{runs}/{run['id']}", f"{comparisons}/{comparison['id']}"):
            await api.post("simulation", f"{path}/start")
        await completed(system, *first)
        expected = await results(system, *first)
        assert len(expected["house_bill"]) == HOUSES
        assert len(expected["compared_house"]) == 2 * HOUSES

        async with second_worker(system, tmp_path):
            again = await api.post("simulation", f"{comparisons}/{comparison['id']}/repeat")
            copied = await api.post("simulation", f"{runs}/{run['id']}/copy")
            await api.post("simulation", f"{runs}/{copied['id']}/start")
            second = [UUID(copied["id"]), UUID(again["id"])]

            async def begun() -> bool:
                return await chunks_done(system, second[1]) > 0

            await until("a chunk that is done", begun)
            system.kill("simulation")
            done = await chunks_done(system, second[1])

            async def goes_on() -> bool:
                return await chunks_done(system, second[1]) > done

            await until("the other worker", goes_on)
            assert await results(system, second[0], second[1]) != expected
            system.kill("postgres")
            await system.restart("postgres")
            await system.restart("simulation")
            await completed(system, *second)
        assert await results(system, *second) == expected
        for table in ("staged_house_bill", "staged_revenue", "staged_load", "run_chunk"):
            assert await rows(system, f"SELECT 1 FROM {table}") == []  # noqa: S608 - names of ours
