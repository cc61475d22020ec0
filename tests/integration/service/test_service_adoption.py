"""Writes wait with 503 while a restored database is brought up to what was said; reads do not."""

import pytest

from gridtally.database import Database
from gridtally.database.adoption_lock import GATE_TTL_S, lock_for_adoption
from gridtally.http import adoption_gate
from gridtally.http.adoption_gate import AdoptionGate
from gridtally.http.api import build_app
from gridtally.observability.health import Health
from gridtally.observability.metrics import Metrics
from gridtally.tariff.api import ROUTERS
from gridtally.tariff.settings import Settings

CALENDARS, REGIONS = "/v1/calendars", "/v1/regions"
MONDAY = {"code": "c-1", "name": "Calendar"}


@pytest.fixture
async def tariff_url(service_url):
    return await service_url("tariff")


@pytest.fixture
async def tariff_database(tariff_url):
    async with await Database.connect(tariff_url, application="test") as database:
        yield database


@pytest.fixture
def gate(tariff_database):
    return AdoptionGate(tariff_database, [REGIONS])


@pytest.fixture
async def acme(tariff_database, tariff_url, gate, clients_of):
    app = build_app(
        title="tariff",
        version="1",
        routers=ROUTERS,
        database=tariff_database,
        health=Health(),
        metrics=Metrics("tariff"),
        settings=Settings(database_url=tariff_url, kafka_bootstrap_servers="unused:1"),
        adoption_gate=gate,
    )
    return await clients_of(app, tariff_database)("acme")


async def test_writes_wait_while_somebody_adopts_and_reads_do_not(
    tariff_url, acme, gate, monkeypatch
):
    gate.open()
    monkeypatch.setattr(adoption_gate, "GATE_TTL_S", 0.0)
    async with await Database.connect(tariff_url, application="adopter") as locking:
        await lock_for_adoption(locking)
        refused = await acme.post(CALENDARS, json=MONDAY)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        assert (await acme.get(CALENDARS)).json()["items"] == []
        assert (await acme.post(REGIONS, json={})).status_code == 422  # named as open: it got in
    assert (await acme.post(CALENDARS, json=MONDAY)).status_code != 503


async def test_until_the_process_has_looked_writes_wait_for_a_bounded_time(acme, gate, monkeypatch):
    assert GATE_TTL_S < adoption_gate.FIRST_CHECK_LIMIT_S
    monkeypatch.setattr(gate, "_first_until_s", 0.0)
    assert (await acme.post(CALENDARS, json=MONDAY)).status_code != 503
    assert gate._first_check.is_set()
