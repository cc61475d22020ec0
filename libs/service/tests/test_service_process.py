"""The command line and the tasks of a process, without servers."""

import asyncio
import json

import pytest
from openapi_spec_validator import validate

from gridtally.http.json_bodies import Router
from gridtally.service.process import main
from gridtally.service.service import Parts, Service
from gridtally.service.settings import ServiceSettings
from gridtally.service.tasks import Tasks

DATABASE_URL = "postgresql://shop:hunter2@db/shop"


class Settings(ServiceSettings):
    markup_percent: int = 3


def build(_process):
    router = Router()

    @router.get("/v1/orders")
    async def orders() -> list[str]:
        return []

    return Parts([router])


SERVICE = Service("service", __package__, Settings, build)  # any installed package will do


def run(*words):
    with pytest.raises(SystemExit) as ended:
        main(SERVICE, words)
    return ended.value.code


@pytest.fixture
def environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", DATABASE_URL)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_check_config_shows_the_settings_in_force_without_secrets(capsys):
    assert run("check-config") == 0
    shown = capsys.readouterr().out.splitlines()
    assert {"MARKUP_PERCENT=3", "HTTP_HOST=127.0.0.1", "DATABASE_URL=**********"} <= set(shown)
    assert "hunter2" not in str(shown)


def test_wrong_settings_are_reported_one_per_line_without_their_values(environment, capsys):
    environment.delenv("KAFKA_BOOTSTRAP_SERVERS")
    environment.setenv("HTTP_PORT", "hunter2")
    environment.setenv("DATABASE_URL", "mysql://shop:hunter2@db/shop")
    environment.setenv("MARKUP_PERCENT", "")
    assert run("serve") == 2
    lines = capsys.readouterr().err.splitlines()
    names = [line.partition(":")[0] for line in lines]
    assert names == ["KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "HTTP_PORT"]
    assert "hunter2" not in str(lines)


@pytest.mark.parametrize("words", [(), ("dance",), ("serve", "work")])
def test_unknown_words_are_refused_with_the_known_ones(words, capsys):
    assert run(*words) == 2
    assert "usage" in capsys.readouterr().err


def test_the_openapi_document_needs_no_settings(environment, capsys):
    environment.delenv("DATABASE_URL")
    assert run("openapi") == 0
    document = json.loads(capsys.readouterr().out)
    validate(document)
    assert {"/v1/orders", "/v1/keys", "/health/ready"} <= document["paths"].keys()


async def until(stop):
    await stop.wait()


async def fails(stop):
    del stop
    raise ZeroDivisionError


async def ends(stop):
    del stop


@pytest.mark.parametrize(
    ("work", "may_end", "crashed"),
    [(fails, False, True), (fails, True, True), (ends, False, True), (ends, True, False)],
)
async def test_when_one_task_ends_the_others_are_asked_to_stop(work, may_end, crashed):
    stop = asyncio.Event()
    tasks = Tasks(stop)
    tasks.start("steady", until(stop))
    tasks.start("other", work(stop), may_end=may_end)
    await asyncio.sleep(0.01)
    assert stop.is_set() == crashed
    stop.set()
    await tasks.join()
    assert tasks.crashed == crashed
