"""Measures simulation runs: houses with stored readings, generated house-months, a comparison.

Run by `make bench ARGS="--only simulate_houses"`; README.md here says what a benchmark is given.
All services run as `gridtally up` has them, and one more worker beside the simulation, so that two
share each run. Houses come as the registry's events, readings straight into ingest's tables. Also
measured: the processor's time that each part takes per house-month, and the workers' memory.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import httpx
import psutil
from script import arguments, sized, tell

from gridtally.cli.api import Api, Json
from gridtally.cli.installation import Installation
from gridtally.contracts.metering import Channel, MeterRegistered, PropertyChanged
from gridtally.contracts.model import Event
from gridtally.kernel.ids import derive_id
from gridtally.local_stack.installation import LOCAL_TENANT, open_installation
from gridtally.local_stack.server import Server
from gridtally.local_stack.services import Service
from gridtally.local_stack.stack import Options, Stack, stack
from gridtally.messaging import OutgoingMessage, Publisher

HOUSES = sized(10_000)
GENERATED_RUNS = 10
METERS_MAX, BULK_TURNS = 2_000, 3
COMPARED_PART = 10
"""Of so many houses one is in the comparison, over a year."""
WAIT_LIMIT_S = 900.0
POLL_S = 0.1
MB = 1024 * 1024
ZONE = "Europe/Berlin"
FLOWS = ("import", "export")
PROFILE = {
    "latitude": "52.52", "longitude": "13.40", "tilt_degrees": "30", "azimuth_degrees": "180",
    "kwp": "5", "annual_kwh": "3500",
}  # fmt: skip
TOU = {
    "type": "TOU_RATE",
    "tou_periods": [
        {"label": label, "start_time": start, "end_time": end, "import_retail_rate_per_kwh": rate,
         "export_wholesale_rate_per_kwh": "0.08"}
        for label, start, end, rate in (
            ("peak", "17:00", "21:00", "0.45"), ("day", "06:00", "17:00", "0.32"),
            ("night", "21:00", "06:00", "0.24"),
        )
    ],
    "fixed_charge_tariff_rate_per_kw": "1.20",
    "tax_rate_on_energy_charges": "0.19",
}  # fmt: skip
NET = {"type": "SIMPLE_NET", "retail_price_per_kwh": "0.30", "credit_policy": "carry_forward"}

# A month of quarters of an hour for each meter and flow, out of 97 days that are made once.
_READINGS = """
WITH days AS MATERIALIZED (
    SELECT kind, array_agg((kind * 37 + slot * 13) % 900 ORDER BY slot)::int4[] AS values
      FROM generate_series(0, 96) AS kind, generate_series(0, 95) AS slot GROUP BY kind)
INSERT INTO channel_day
SELECT $1, m.id, f.flow, 15, d::date, $2, 1, 96, now(), 'bench', repeat('A', 96), days.values
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM meter WHERE tenant_id = $1) m,
       unnest($3::text[]) WITH ORDINALITY AS f (flow, flow_number),
       generate_series('2025-04-01'::timestamp, '2025-04-30', '1 day') WITH ORDINALITY AS g (d, day)
  JOIN days ON true
 WHERE days.kind = (m.number + 7 * g.day + 31 * f.flow_number) % 97
"""
_IMPORTED = """
SELECT sum((SELECT sum(v) FROM unnest(values) v))::bigint FROM channel_day
 WHERE tenant_id = $1 AND flow = 'import'
"""


@dataclass(frozen=True, slots=True)
class Worker(Service):
    """A process that only works: one more consumer in simulation's group."""

    def command(self, directory: Path, port: int) -> list[str]:
        """The word `work` where the service has `serve`."""
        del directory, port
        return [sys.executable, "-m", f"gridtally.{self.name}", "work"]


@dataclass
class Meters:
    """What the processes that take part have used of the processor so far, by part."""

    running: Stack
    worker: Server
    postmaster: psutil.Process
    _begun: dict[str, float] = field(default_factory=dict)

    def begin(self) -> None:
        """From now on."""
        self._begun = self._cpu_s()

    def per_item_ms(self, items: int) -> dict[str, float]:
        """Milliseconds of the processor since `begin`, for each of so many items."""
        return {
            f"{part}_cpu_ms": round((used_s - self._begun.get(part, 0.0)) * 1_000 / items, 3)
            for part, used_s in self._cpu_s().items()
        }

    def workers(self) -> list[psutil.Process]:
        """The two that rate."""
        pids = (self.running.services["simulation"].pid, self.worker.pid)
        return [psutil.Process(pid) for pid in pids if pid is not None]

    def _cpu_s(self) -> dict[str, float]:
        used = {"simulation": sum(_cpu_s(process) for process in self.workers())}
        ingest = self.running.services["ingest"].pid
        if ingest is not None:
            used["ingest"] = _cpu_s(psutil.Process(ingest))
        ended = self.postmaster.cpu_times()
        backends = sum(_cpu_s(process) for process in self.postmaster.children())
        used["postgres"] = ended.children_user + ended.children_system + backends
        return used


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def database_url(running: Stack, service: str) -> str:
    """A superuser's URL of a service's database."""
    return urlunsplit(urlsplit(running.servers.admin_url)._replace(path=f"/{service}"))


async def value(url: str, sql: str, *parameters: Any) -> Any:
    """The first value that a statement returns."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql, *parameters, timeout=WAIT_LIMIT_S)
    finally:
        await connection.close()


def messages(events: Sequence[Event]) -> list[OutgoingMessage]:
    """The registry's events, as the ledger would publish them."""
    now = datetime.now(UTC)
    return [
        OutgoingMessage.of(
            event, tenant_id=LOCAL_TENANT, correlation_id="bench", source="/gridtally/ledger",
            event_id=derive_id("bench", event.TOPIC, event.key()), occurred_at=now,
        )
        for event in events
    ]  # fmt: skip


async def arrived(url: str, table: str, count: int) -> None:
    """Wait until a service has stored so many rows of what it was told."""
    deadline_s = time.monotonic() + WAIT_LIMIT_S
    while time.monotonic() < deadline_s:
        if await value(url, f"SELECT count(*) FROM {table}") >= count:  # noqa: S608 - a name of ours
            return
        await asyncio.sleep(POLL_S)
    sys.exit(f"{table} has not {count} rows")


async def settle(running: Stack, houses: int) -> tuple[UUID, UUID]:
    """Houses below a node, a tenth of them below one within it, and a month of readings of each;
    both nodes."""
    root_id, part_id = derive_id("bench", "root"), derive_id("bench", "part")
    events: list[Event] = [
        PropertyChanged(property_id=root_id, name="City", zone=ZONE, version=1),
        PropertyChanged(property_id=part_id, name="Part", zone=ZONE, parent_id=root_id, version=1),
    ]
    channels = [Channel(flow=flow, minutes=15, interval_wh_max=100_000) for flow in FLOWS]
    for number in range(houses):
        house_id = derive_id("bench", "house", number)
        parent_id = part_id if number % COMPARED_PART == 0 else root_id
        events += [
            PropertyChanged(
                property_id=house_id, name=f"House {number}", zone=ZONE, parent_id=parent_id,
                connected_kw=Decimal(8), version=1,
            ),
            MeterRegistered(
                meter_id=derive_id("bench", "meter", number), property_id=house_id,
                meter_type="total", name="a meter", zone=ZONE, channels=channels, version=1,
            ),
        ]  # fmt: skip
    bootstrap = running.servers.bootstrap
    async with Publisher(bootstrap, client_id="bench", idempotent=False) as publisher:
        for first in range(0, len(events), 1_000):
            await publisher.publish(messages(events[first : first + 1_000]))
    simulation, ingest = (database_url(running, name) for name in ("simulation", "ingest"))
    for url, table, count in (
        (ingest, "meter", houses),
        (simulation, "meter", houses),
        (simulation, "property", houses + 2),
    ):
        await arrived(url, table, count)
    await value(ingest, _READINGS, LOCAL_TENANT, ZONE, list(FLOWS))
    await value(ingest, "ANALYZE channel_day")
    return root_id, part_id


async def ended(api: Api, paths: Sequence[str]) -> list[Json]:
    """The runs once all have ended; one that is not COMPLETED ends the benchmark."""
    async with asyncio.timeout(WAIT_LIMIT_S):
        while True:
            runs = [await api.get("simulation", path) for path in paths]
            if all(run["status"] != "RUNNING" for run in runs):
                break
            await asyncio.sleep(POLL_S)
    if wrong := [run["error"] for run in runs if run["status"] != "COMPLETED"]:
        sys.exit(f"wrong: {wrong}")
    return runs


async def measure(
    api: Api, meters: Meters, path: str, bodies: Sequence[Json], house_months: int
) -> tuple[dict[str, float], list[str]]:
    """Start what the bodies describe, and wait for the last to end: figures, and their paths."""
    made = [await api.post("simulation", path, body) for body in bodies]
    paths = [f"{path}/{resource['id']}" for resource in made]
    meters.begin()
    begun_s = time.perf_counter()
    for started in paths:
        await api.post("simulation", f"{started}/start")
    await ended(api, paths)
    seconds = time.perf_counter() - begun_s
    peaks = [_peak_memory_mb(process) for process in meters.workers()]
    figures = {
        "seconds": round(seconds, 1),
        "house_months_per_s": round(house_months / seconds),
        "worker_peak_memory_mb": max(peaks),
    }
    return figures | meters.per_item_ms(house_months), paths


def _peak_memory_mb(process: psutil.Process) -> int:
    """The most memory that a process has held."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 // MB


async def bulk_read(running: Stack, meters: Meters, houses: int) -> dict[str, float]:
    """A month of all meters' readings out of ingest's bulk API, as a worker asks for it, but in one
    request; the median of some."""
    ids = [str(derive_id("bench", "meter", number)) for number in range(min(houses, METERS_MAX))]
    query = {"meter_ids": ids, "flows": FLOWS, "start_on": "2025-04-01", "end_on": "2025-05-01"}
    program = running.services["simulation"].program
    if not isinstance(program, Service):
        sys.exit("the simulation is no service of ours")
    headers = {
        "Authorization": f"Bearer {program.settings['SERVICE_TOKEN']}",
        "Gridtally-Tenant": LOCAL_TENANT,
        "Accept": "application/vnd.apache.arrow.stream",
    }
    readings = len(ids) * len(FLOWS) * 30 * 96
    seconds = []
    meters.begin()
    async with httpx.AsyncClient(base_url=running.urls["ingest"], timeout=WAIT_LIMIT_S) as client:
        for _ in range(BULK_TURNS):
            begun_s = time.perf_counter()
            received = 0
            async with client.stream(
                "POST", "/v1/series/query", json=query, headers=headers
            ) as answer:
                answer.raise_for_status()
                async for chunk in answer.aiter_bytes():
                    received += len(chunk)
            seconds.append(time.perf_counter() - begun_s)
            if received < readings * 4:
                sys.exit(f"wrong: {received} bytes of {readings} readings")
    cpu = meters.per_item_ms(len(ids) * BULK_TURNS)
    return {
        "readings_per_s": round(readings / median(seconds)),
        "ingest_cpu_ms": cpu["ingest_cpu_ms"],
        "postgres_cpu_ms": cpu["postgres_cpu_ms"],
    }


async def run(
    installation: Installation, running: Stack, worker: Server, houses: int, generated_runs: int
) -> dict[str, dict[str, float]]:
    """All figures; a wrong result ends the benchmark."""
    root_id, part_id = await settle(running, houses)
    pid_file = await value(running.servers.admin_url, "SELECT pg_read_file('postmaster.pid')")
    meters = Meters(running, worker, psutil.Process(int(pid_file.split()[0])))
    month: Json = {"name": "bench", "billing_cycle_year": 2025, "billing_cycle_month": 4,
                   "topology_root_node_id": str(root_id), "policy": TOU}  # fmt: skip
    generated = {"source": "generated", "profile": PROFILE, "seed": 1}
    figures: dict[str, dict[str, float]] = {}
    async with installation.as_tenant() as api:
        runs = "/v1/simulation-runs"
        for turn in ("first", "second"):
            case = f"{houses} houses, a month of stored readings, {turn} run"
            figures[case], [path] = await measure(api, meters, runs, [month], houses)
            totals = await api.get("simulation", f"{path}/totals")
            imported = Decimal(totals["total_energy_imported_kwh"]) * 1_000
            expected = await value(database_url(running, "ingest"), _IMPORTED, LOCAL_TENANT)
            if (totals["houses"], imported) != (houses, expected):
                sys.exit(f"wrong: {totals} where {expected} Wh were stored")
        case = f"bulk read of {min(houses, METERS_MAX)} meters' month, of ingest alone"
        figures[case] = await bulk_read(running, meters, houses)
        months = [
            month | generated | {"billing_cycle_month": number}
            for number in range(1, generated_runs + 1)
        ]
        count = houses * generated_runs
        figures[f"{count} generated house-months"], paths = await measure(
            api, meters, runs, months, count
        )
        for path in paths:
            totals = await api.get("simulation", f"{path}/totals")
            if totals["houses"] != houses or not Decimal(totals["total_energy_imported_kwh"]):
                sys.exit(f"wrong: {totals}")
        scenarios = [{"label": "today", "policy": NET}, {"label": "draft", "policy": TOU}]
        scenarios = [
            {**scenario, "policy": {**scenario["policy"], "credit_policy": "lost"}}
            for scenario in scenarios
        ]
        body = {name: value for name, value in month.items() if name != "policy"} | generated
        body |= {"scenarios": scenarios, "months": 12, "topology_root_node_id": str(part_id)}
        compared = -(-houses // COMPARED_PART)
        comparisons = "/v1/simulation-comparisons"
        case = f"comparison of two tariffs, {compared} houses, a year"
        figures[case], [path] = await measure(api, meters, comparisons, [body], compared * 12)
        begun_s = time.perf_counter()
        results = await api.get("simulation", f"{path}/results")
        figures[case]["results_ms"] = round((time.perf_counter() - begun_s) * 1_000)
        if results["scenarios"][1]["houses"] != compared:
            sys.exit(f"wrong: {results}")
    return figures


def options_of(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """What the script is given."""
    parser.add_argument("--houses", type=int, default=HOUSES)
    parser.add_argument("--generated-runs", type=int, default=GENERATED_RUNS)
    return parser.parse_args()


def main() -> None:
    """Prints the figures and writes them."""
    given = options_of(arguments(__doc__))
    with tempfile.TemporaryDirectory(prefix="gridtally-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user when we are root
        options = Options(data_dir=Path(folder), is_forked=False)
        with stack(options, os.environ) as running:
            installation = asyncio.run(open_installation(running, Path(folder)))
            program = running.services["simulation"].program
            if not isinstance(program, Service):
                sys.exit("the simulation is no service of ours")
            directory = Path(folder) / "worker"
            directory.mkdir()
            second = Worker(program.name, program.settings, addresses=program.addresses)
            worker = Server(second, directory, None)
            worker.start()
            try:
                figures = asyncio.run(
                    run(installation, running, worker, given.houses, given.generated_runs)
                )
            finally:
                worker.stop()
    tell(f"{given.houses} houses, {psutil.cpu_count()} cores", figures, given.json)


if __name__ == "__main__":
    main()
