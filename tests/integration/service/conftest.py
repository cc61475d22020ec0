"""Runs the tiny service `notes` as a process of its own; builds the API of each real one."""

import asyncio
import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest

import gridtally.billing.app
import gridtally.ingest.app
import gridtally.ledger.app
import gridtally.simulation.app
import gridtally.tariff.app
from gridtally.database import Database
from gridtally.http.context import utc_now
from gridtally.messaging import Publisher
from gridtally.service.service import Process
from integration.apps import app_of

SERVICES = {
    "billing": gridtally.billing.app,
    "ingest": gridtally.ingest.app,
    "ledger": gridtally.ledger.app,
    "simulation": gridtally.simulation.app,
    "tariff": gridtally.tariff.app,
}
HERE = Path(__file__).parent
READY_LIMIT_S = 120.0
STOP_LIMIT_S = 120.0


@dataclass
class Running:
    """A process and its log, one JSON object per line."""

    process: subprocess.Popen[bytes]
    log: Path
    operator: dict[str, str]

    def logged(self, event):
        """The first line of that event, waited for."""
        deadline_s = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < deadline_s:
            for line in self.log.read_text().splitlines():
                if line.startswith("{") and json.loads(line)["event"] == event:
                    return json.loads(line)
            if self.process.poll() is not None and event not in self.log.read_text():
                break
            time.sleep(0.05)
        raise AssertionError(f"never logged {event!r}:\n{self.log.read_text()}")

    def client(self, trusted=None):
        """Towards its API, as nobody; by https where it is said whose certificates are believed."""
        scheme, verify = ("http", True) if trusted is None else ("https", trusted)
        where = f"{scheme}://127.0.0.1:{self.logged('ready')['port']}"
        return httpx.Client(base_url=where, timeout=READY_LIMIT_S, verify=verify, trust_env=False)

    def make_key(self, client, tenant_id, *scopes):
        """The header that shows a new key of that tenant."""
        key_id, secret = secrets.token_hex(5), secrets.token_urlsafe(32)
        body = {
            "tenant_id": tenant_id,
            "key_id": key_id,
            "secret_sha256": hashlib.sha256(secret.encode()).hexdigest(),
            "scopes": scopes,
            "name": "test",
        }
        answer = client.post("/v1/keys", json=body, headers=self.operator)
        assert answer.status_code == 201, answer.text
        return {"authorization": f"Bearer gt_{key_id}_{secret}"}

    def exit_code(self):
        """Waited for."""
        return self.process.wait(STOP_LIMIT_S)


@pytest.fixture
def start(database_url, kafka_bootstrap, stack_servers, tmp_path):
    """Starts `python -m notes <mode>` with the given settings, against one database."""
    operator = secrets.token_urlsafe(32)
    installed = tmp_path / "gridtally_notes-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: gridtally-notes\nVersion: 1\n"
    )
    settings = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(HERE), str(tmp_path)]),
        "DATABASE_URL": database_url(),
        "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
        "KAFKA_IDEMPOTENCE": str(stack_servers.idempotence),
        "HTTP_PORT": "0",
        "OPERATOR_TOKEN_SHA256": hashlib.sha256(operator.encode()).hexdigest(),
        "KEY_CACHE_TTL_S": "0.5",
        "SHUTDOWN_TIMEOUT_S": str(STOP_LIMIT_S - 20),
    }
    started = []

    def start_mode(mode, **more):
        log = tmp_path / f"{len(started)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "notes", mode],
                env=settings | more,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        return Running(process, log, {"authorization": f"Bearer {operator}"})

    yield start_mode
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
async def migrated(start, service_url, monkeypatch):
    """The same, with the schema there."""
    monkeypatch.syspath_prepend(HERE)
    return partial(start, DATABASE_URL=await service_url("notes", package="notes"))


@pytest.fixture(params=SERVICES)
async def app(request, service_url):
    """A service's whole API, on a database of its own."""
    name = request.param
    service = SERVICES[name].SERVICE
    url = await service_url(name)
    settings = service.settings_class(database_url=url, kafka_bootstrap_servers="nowhere:1")
    publisher = Publisher("nowhere:1", client_id="strangers", idempotent=True)  # never started
    async with await Database.connect(url, application=f"strangers-{name}") as database:
        stop = asyncio.Event()
        process = Process(name, settings, database, publisher, utc_now, stop)
        parts = service.build(process)
        yield app_of(name, parts.routers, database=database, settings=settings, state=parts.state)
