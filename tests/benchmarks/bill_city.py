"""Measures the main job through all services: the last reading to the ledger's last posting.

Run by `make bench ARGS="--only bill_city"`; README.md here says what a benchmark is given. The
demo's portfolio, larger, is registered over HTTP and metered for a month; all but the last day is
published first, and the clock starts with the last day's readings. Also measured: how long a
published reading takes to be readable, at about half load, and each service's peak memory.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families
from script import arguments, sized, tell

from gridtally.cli.api import Api
from gridtally.cli.installation import Installation
from gridtally.cli.reconciliation import reconcile
from gridtally.contracts.commerce import InvoiceIssued
from gridtally.contracts.metering import PeriodClosed, ReadingsReceived
from gridtally.kernel.periods import ONE_DAY, midnight_utc
from gridtally.local_stack.demo.gateway import Sent, Site, block, month_of_blocks, publish
from gridtally.local_stack.demo.portfolio import PERIOD, homes
from gridtally.local_stack.demo.register import publish_tariffs, register_homes
from gridtally.local_stack.installation import open_installation
from gridtally.local_stack.stack import Options, Stack, stack
from gridtally.messaging import OutgoingMessage, Publisher

HOMES = sized(10_000)
WAIT_LIMIT_S = 900.0
POLL_S = 0.25
PROBES = 100
PROBE_EVERY_S = 0.1
HALF_LOAD_BLOCKS_PER_S = 2_000
MB = 1024 * 1024


def nothing(_: int) -> None:
    """Progress that nobody watches."""


async def until(stack: Stack, service: str, topic: str, messages: int) -> None:
    """Wait until a service has committed so many messages of a topic, by its metrics."""
    task = f"{service}.{topic}"
    async with asyncio.timeout(WAIT_LIMIT_S), httpx.AsyncClient() as client:
        while True:
            answer = await client.get(f"{stack.urls[service]}/metrics")
            for family in text_string_to_metric_families(answer.text):
                for sample in family.samples:
                    if (sample.name, sample.labels.get("task")) == ("task_handled_total", task):
                        handled = sample.value
            if handled >= messages:
                return
            await asyncio.sleep(POLL_S)


def days(sites: list[Site], sent: Sent) -> Iterator[list[OutgoingMessage]]:
    """The month's messages without irregular ones, a list for each day."""
    messages = month_of_blocks(sites, sent, irregular=False)
    size = sum(len(site.home.flows) for site in sites)
    for _, day in groupby(enumerate(messages), lambda numbered: numbered[0] // size):
        yield [message for _, message in day]


async def bill(running: Stack, publisher: Publisher, sites: list[Site]) -> dict[str, float]:
    """Publish the month, then its last day against the clock."""
    sent = Sent()
    *most, last = days(sites, sent)
    before = 0
    began_s = time.monotonic()
    for day in most:
        await publish(iter(day), publisher, sent, nothing)
        before += len(day)
    await until(running, "ingest", ReadingsReceived.TOPIC, sent.messages)
    stored_s = time.monotonic()
    await publish(iter(last), publisher, sent, nothing)
    last_s = time.monotonic()
    await until(running, "billing", PeriodClosed.TOPIC, len(sites))
    invoiced_s = time.monotonic()
    await until(running, "ledger", InvoiceIssued.TOPIC, len(sites))
    booked_s = time.monotonic()
    readings = sum(PERIOD.slots(site.home.plan.location.zone, 15) for site in sites)
    return {
        "last_reading_to_invoiced_s": round(invoiced_s - last_s, 1),
        "last_reading_to_booked_s": round(booked_s - last_s, 1),
        "first_reading_to_booked_s": round(booked_s - began_s, 1),
        "intake_blocks_per_s": round(before / (stored_s - began_s)),
        "import_readings": readings,
    }


async def latency(api: Api, publisher: Publisher, sites: list[Site]) -> dict[str, float]:
    """From a gateway's publish to readable over HTTP, while others keep ingest half busy."""
    stop = asyncio.Event()

    async def load() -> None:
        shift = 0
        while not stop.is_set():
            began_s = time.monotonic()
            shift += 1
            day = PERIOD.end_on + shift * ONE_DAY
            batch = [
                block(site, "import", start_at, [shift] * 96, start_at)
                for site in sites[PROBES : PROBES + HALF_LOAD_BLOCKS_PER_S // 4]
                for start_at in [midnight_utc(site.home.plan.location.zone, day)]
            ]
            await publisher.publish(batch)
            await asyncio.sleep(max(0.0, 0.25 - (time.monotonic() - began_s)))

    loading = asyncio.create_task(load())
    taken = [await probe(api, publisher, site) for site in sites[:PROBES]]
    stop.set()
    await loading
    cuts = quantiles(taken, n=100)
    return {"p50_s": round(cuts[49], 3), "p99_s": round(cuts[98], 3)}


async def probe(api: Api, publisher: Publisher, site: Site) -> float:
    """Seconds from the publish of one reading until the API shows it."""
    await asyncio.sleep(PROBE_EVERY_S)
    start_at = midnight_utc(site.home.plan.location.zone, PERIOD.end_on)
    began_s = time.monotonic()
    await publisher.publish([block(site, "import", start_at, [7], start_at)])
    async with asyncio.timeout(WAIT_LIMIT_S):
        while True:
            day, next_day = PERIOD.end_on, PERIOD.end_on + ONE_DAY
            found = await api.get(
                "ingest",
                f"/v1/meters/{site.meter_id}/completeness",
                **{"from": day, "to": next_day},
            )
            if any(day["present"] for day in found["days"]):
                return time.monotonic() - began_s


def memory(running: Stack) -> dict[str, float]:
    """The most that each service's process has held, in MB."""
    peaks: dict[str, float] = {}
    for name, server in running.services.items():
        status = Path(f"/proc/{server.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        peaks[f"{name}_peak_memory_mb"] = int(line.split()[1]) * 1024 // MB
    return peaks


async def run(installation: Installation, running: Stack) -> dict[str, Any]:
    """All figures; a wrong result ends the benchmark."""
    portfolio = homes(HOMES, run="bench")
    async with (
        installation.as_tenant() as api,
        Publisher(running.servers.bootstrap, client_id="bench", idempotent=False) as publisher,
    ):
        tariffs = await publish_tariffs(api, "bench")
        began_s = time.monotonic()
        sites = await register_homes(api, portfolio, tariffs, nothing)
        registered_s = time.monotonic() - began_s
        city = await bill(running, publisher, sites)
        async with asyncio.timeout(WAIT_LIMIT_S):
            while wrong := [finding for finding in await reconcile(api) if not finding.holds]:
                await asyncio.sleep(POLL_S)
                sys.stdout.write(f"not yet: {wrong[0].what}\n")
        waited = await latency(api, publisher, sites)
    peaks = memory(running)
    return {
        f"a city of {HOMES} meters": city | {"homes_registered_per_s": round(HOMES / registered_s)},
        "publish to readable": waited,
        "the services": peaks | {"largest_peak_memory_mb": max(peaks.values())},
    }


def main() -> None:
    """Prints the figures and writes them."""
    given = arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="gridtally-bench-") as folder:
        options = Options(data_dir=Path(folder), is_forked=False)
        with stack(options, os.environ) as running:
            installation = asyncio.run(open_installation(running, Path(folder)))
            figures = asyncio.run(run(installation, running))
    tell(f"{HOMES} homes, {psutil.cpu_count()} cores", figures, given.json)


if __name__ == "__main__":
    main()
