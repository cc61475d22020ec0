"""What the stack decides before anything runs."""

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil
import pytest
from typer.testing import CliRunner

from gridtally.cli.stack_state import (
    RunningProcess,
    StackState,
    default_data_dir,
    read_state,
)
from gridtally.local_stack import process, stack
from gridtally.local_stack.cache import cached_build
from gridtally.local_stack.errors import StackError, Unavailable
from gridtally.local_stack.kafka import java_major
from gridtally.local_stack.servers import external
from gridtally.local_stack.timescale import mirror_of

DATABASES = {
    f"{name}_DATABASE_URL": f"postgresql://h/{name}"
    for name in ("INGEST", "TARIFF", "BILLING", "LEDGER", "SIMULATION")
}
KAFKA = {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}
ADMIN = {"POSTGRES_ADMIN_URL": "postgresql://h/postgres"}


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21" 2023-09-19', 21),
        ('java version "1.8.0_391"', 8),
        ('Picked up JAVA_TOOL_OPTIONS: -X\nopenjdk version "25.0.1"', 25),
        ("no such thing", 0),
    ],
)
def test_java_version(text, major):
    assert java_major(text) == major


@pytest.mark.parametrize(
    ("lines", "mirror"),
    [
        ("bookworm main http://a/debian/\nbookworm-updates main http://b/", "http://a/debian/"),
        ("bookworm-security main http://s/\ntrixie main http://t/", "http://t/"),
        ("bookworm contrib http://c/\nbookworm main http://m/", "http://m/"),
    ],
)
def test_the_mirror_is_the_one_of_the_main_archive(lines, mirror):
    assert mirror_of(lines, "bookworm") == mirror


def test_sources_without_the_main_archive_make_timescale_unavailable():
    with pytest.raises(Unavailable, match="no mirror"):
        mirror_of("bookworm-security main http://s/", "bookworm")


@pytest.mark.parametrize(
    ("environment", "bootstrap", "admin_url"),
    [
        (KAFKA | ADMIN, "kafka:9092", "postgresql://h/postgres"),
        (KAFKA | DATABASES, "kafka:9092", ""),
    ],
)
def test_named_servers_are_used(tmp_path, environment, bootstrap, admin_url):
    found = external(tmp_path, environment)
    assert (found.bootstrap, found.admin_url) == (bootstrap, admin_url)
    assert found.broker is found.database is None


def test_nothing_named_means_that_servers_are_started(tmp_path):
    assert external(tmp_path, {"PATH": "/bin"}) is None


@pytest.mark.parametrize(
    ("environment", "asks_for"),
    [
        (KAFKA, "POSTGRES_ADMIN_URL"),
        (ADMIN, "KAFKA_BOOTSTRAP_SERVERS"),
        (KAFKA | {"TARIFF_DATABASE_URL": "postgresql://h/t"}, "INGEST_DATABASE_URL"),
    ],
)
def test_half_named_servers_are_refused(tmp_path, environment, asks_for):
    with pytest.raises(StackError, match=asks_for):
        external(tmp_path, environment)


def test_a_build_happens_once(tmp_path):
    calls, said = [], []

    def build(folder):
        calls.append(folder)
        (folder / "program").write_text("built")

    first, again = (cached_build(tmp_path, "thing", build, said.append) for _ in range(2))
    assert first == again == calls[0]
    assert len(calls) == 1
    assert said == [f"fetching thing into {tmp_path}, once; this may take minutes"]


def test_two_builders_at_once_build_once(tmp_path):
    calls = []

    def build(folder):
        calls.append(folder)
        time.sleep(0.05)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: cached_build(tmp_path, "thing", build), range(2)))
    assert len(calls) == 1


def test_a_build_that_was_cut_short_or_moved_is_made_again(tmp_path):
    def cut_short(folder):
        (folder / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_build(tmp_path / "a", "thing", cut_short)
    whole = cached_build(tmp_path / "a", "thing", lambda folder: (folder / "whole").touch())
    assert sorted(path.name for path in whole.iterdir()) == ["complete", "whole"]

    (tmp_path / "a").rename(tmp_path / "b")
    moved = cached_build(tmp_path / "b", "thing", lambda folder: (folder / "new").touch())
    assert sorted(path.name for path in moved.iterdir()) == ["complete", "new"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_STATE_HOME": "/state"}, "/state/gridtally"),
        ({"XDG_STATE_HOME": ""}, "~/.local/state/gridtally"),
        ({}, "~/.local/state/gridtally"),
    ],
)
def test_default_data_directory(environment, expected):
    assert str(default_data_dir(environment)) == os.path.expanduser(expected)  # noqa: PTH111


def test_the_state_file_gives_back_what_was_written(tmp_path):
    me = RunningProcess.of("gridtally", os.getpid(), "http://127.0.0.1:1")
    state = StackState(owner=me, ready=True, processes=(me,), descriptions=("a line",))
    assert read_state(tmp_path) is None
    state.write(tmp_path)
    assert read_state(tmp_path) == state


def test_a_reused_pid_is_somebody_else():
    me = RunningProcess.of("gridtally", os.getpid(), "")
    reused = RunningProcess(me.name, me.pid, me.started_at_s - 60, "")
    assert me.find() == psutil.Process()
    assert reused.find() is None


def test_taking_down_after_a_crash_spares_the_process_that_got_the_pid(tmp_path):
    me = RunningProcess.of("gridtally", os.getpid(), "")
    reused = RunningProcess(me.name, me.pid, me.started_at_s - 60, "")
    StackState(owner=reused, ready=True, processes=(reused,)).write(tmp_path)
    assert stack.down(tmp_path) is False  # and this process still runs
    assert read_state(tmp_path) is None


def test_commands_without_a_running_stack(tmp_path):
    from gridtally.cli.app import app

    runner = CliRunner()
    listed = runner.invoke(app, ["--help"])
    assert listed.exit_code == 0
    assert all(command in listed.output for command in ("up", "down", "status"))
    shown = runner.invoke(app, ["status", "--data-dir", str(tmp_path)])
    assert (shown.exit_code, shown.output) == (1, "not running\n")
    ended = runner.invoke(app, ["down", "--data-dir", str(tmp_path)])
    assert (ended.exit_code, ended.output) == (0, "nothing was running\n")


def test_what_does_not_end_in_time_is_ended_and_said(tmp_path):
    endless = process.spawn(["sleep", "3600"], log=tmp_path / "log", cwd=tmp_path)
    with pytest.raises(StackError, match="initdb took longer than it may"):
        process.finish(endless, "initdb", -1)
    assert endless.returncode == -signal.SIGKILL
    short = process.spawn(["false"], log=tmp_path / "log", cwd=tmp_path)
    assert process.finish(short, "initdb", 120) == 1


def runs(process):
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def test_a_wait_that_is_interrupted_ends_the_program_and_what_it_started(tmp_path, monkeypatch):
    initdb = process.spawn(["sh", "-c", "sleep 3600 & wait"], log=tmp_path / "log", cwd=tmp_path)
    while not (started := psutil.Process(initdb.pid).children()):
        assert initdb.poll() is None

    def interrupted(_limit_s):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(initdb, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        process.finish(initdb, "initdb", 120)
    assert initdb.returncode == -signal.SIGKILL
    while any(runs(child) for child in started):
        time.sleep(0.01)


def test_a_signal_among_tasks_ends_the_block_quietly(caplog):
    caplog.set_level(logging.CRITICAL, "asyncio")  # which tells of the task when it is forgotten

    async def interrupted():
        signal.raise_signal(signal.SIGINT)

    async def work():
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(3600))
            group.create_task(interrupted())

    before, ended = signal.getsignal(signal.SIGINT), []
    with stack.until_stopped():
        asyncio.run(work())
        ended.append("by itself")
    gc.collect()
    assert not ended
    assert signal.getsignal(signal.SIGINT) is before


def test_what_the_file_system_refuses_is_one_line_that_names_it():
    name = "x" * 300
    command = [sys.executable, "-m", "gridtally.cli", "status", "--data-dir", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"error: {name}/state.json: File name too long\n")


def test_help_is_quick_because_nothing_heavy_is_imported():
    code = "import gridtally.cli, sys; print([m for m in ('numpy','asyncpg') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
