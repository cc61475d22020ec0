"""Which work each mode runs, and what the watchdog does."""

import asyncio

import pytest

from gridtally.contracts.commerce import InvoiceIssued
from gridtally.database import Database
from gridtally.database.engine import engine_of
from gridtally.http.context import utc_now
from gridtally.messaging import Heartbeat, Progress, Publisher, Subscription
from gridtally.messaging.progress import STALLED_AFTER_S
from gridtally.observability.health import Health
from gridtally.service import background
from gridtally.service.background import Stalled, jobs_of, watch
from gridtally.service.service import Loop, Parts, Process
from gridtally.service.settings import ServiceSettings


async def handle(tx, received): ...


async def tick(progress, stop): ...


PARTS = Parts([], [Subscription(InvoiceIssued, handle)], [Loop("tick", tick)])
CONSUMER = "shop.invoice.issued.v1"


def process():
    database = Database(engine_of("postgresql://nowhere/none"))
    settings = ServiceSettings.model_construct(kafka_bootstrap_servers="nowhere")
    publisher = Publisher("nowhere", client_id="shop")
    return Process("shop", settings, database, publisher, utc_now, asyncio.Event())


@pytest.mark.parametrize(
    ("mode", "names"),
    [
        ("serve", [CONSUMER, "tick", "relay"]),
        ("api", []),
        ("work", [CONSUMER, "tick"]),
        ("relay", ["relay"]),
    ],
)
async def test_each_mode_runs_its_work(mode, names):
    jobs = jobs_of(mode, PARTS, process())
    assert [job.progress.name for job in jobs] == names
    assert not any(job.progress.ready for job in jobs)


async def test_the_watchdog_feels_the_heart_of_a_handler_that_takes_long(monkeypatch):
    """The handler is a minute and a half at one batch, and says twice that it gets on."""
    monkeypatch.setattr(background, "WATCH_EVERY_S", 0.001)
    heartbeat, stop = Heartbeat(), asyncio.Event()
    parts = Parts([], [Subscription(InvoiceIssued, handle, heartbeat=heartbeat)], [])
    [consumer] = jobs_of("work", parts, process())
    consumer.progress.observe_lag(1, now_s=0.0)
    now_s = 0.0
    watching = asyncio.create_task(watch(Health(lambda: now_s, tasks=[consumer.progress]), stop))
    for beaten_s in (45.0, 90.0):
        now_s = beaten_s - 0.5
        heartbeat.beat(now_s=now_s)
        await asyncio.sleep(0.01)
        assert not watching.done()
    now_s = 90.0 + STALLED_AFTER_S
    with pytest.raises(Stalled, match=CONSUMER):
        await watching


async def test_the_watchdog_bites_when_a_task_stalls(monkeypatch):
    monkeypatch.setattr(background, "WATCH_EVERY_S", 0.001)
    now_s, stop = 0.0, asyncio.Event()
    progress = Progress("work")
    progress.observe_lag(5, now_s=0.0)
    watching = asyncio.create_task(watch(Health(lambda: now_s, tasks=[progress]), stop))
    now_s = 59.0
    await asyncio.sleep(0.01)
    assert not watching.done()
    progress.advance(1, now_s=now_s)
    now_s = 118.0
    await asyncio.sleep(0.01)
    assert not watching.done()
    now_s = 120.0
    with pytest.raises(Stalled, match="work"):
        await watching


async def test_the_watchdog_sleeps_when_asked_to_stop():
    stop = asyncio.Event()
    watching = asyncio.create_task(watch(Health(), stop))
    await asyncio.sleep(0)
    stop.set()
    await watching
