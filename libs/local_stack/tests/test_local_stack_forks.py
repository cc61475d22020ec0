"""Processes that are forked from one that has imported what they run."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress

import psutil
import pytest

from gridtally.local_stack import process
from gridtally.local_stack.fork_server import LOG, ForkServer

LIMIT_S = 60
TELLS = """
import json, os, sys, time
from echoes import app

if sys.argv[1] == "tell":
    seen = [sys.argv[1:], os.getcwd(), os.environ["GREETING"], app.LOADED_BY == os.getppid()]
    print(json.dumps(seen), flush=True)
    sys.exit(3)
if sys.argv[1] == "read":
    print(repr(sys.stdin.read()), flush=True)
    sys.exit()
if sys.argv[1] == "break":
    raise RuntimeError("a defect")
print("begun", flush=True)
time.sleep(3600)
"""


@pytest.fixture
def echoes(tmp_path, monkeypatch):
    """A folder, with a package that forks may run where Python finds it."""
    package = tmp_path / "modules" / "echoes"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "app.py").write_text("import os\nLOADED_BY = os.getpid()\n")
    (package / "__main__.py").write_text(textwrap.dedent(TELLS))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    return tmp_path


@pytest.fixture
def forks(echoes):
    server = ForkServer(["echoes.app", "echoes.nowhere"], echoes)
    yield server
    server.close()


@pytest.fixture
def start(forks, tmp_path):
    def run(*arguments, death_signal=signal.SIGTERM):
        return forks.spawn(
            [sys.executable, "-m", "echoes", *arguments],
            log=tmp_path / "log",
            cwd=tmp_path,
            env={"GREETING": "hello"},
            death_signal=death_signal,
        )

    return run


def begun(tmp_path):
    while "begun" not in (tmp_path / "log").read_text():
        time.sleep(0.01)


def gone(pid):
    """Once it runs no more. Whom its parent has left behind, the system may never bury."""
    with suppress(psutil.NoSuchProcess):
        process_left = psutil.Process(pid)
        while process_left.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
    return True


def test_a_fork_has_its_arguments_folder_and_environment_and_what_was_imported(start, tmp_path):
    fork = start("tell", "a b")
    assert fork.wait(LIMIT_S) == fork.poll() == fork.returncode == 3
    said = json.loads((tmp_path / "log").read_text())
    assert said == [["tell", "a b"], str(tmp_path), "hello", True]


def test_its_input_is_empty_and_its_output_goes_to_the_end_of_its_log(start, tmp_path):
    (tmp_path / "log").write_text("before\n")
    assert start("read").wait(LIMIT_S) == 0
    assert (tmp_path / "log").read_text() == "before\n''\n"


def test_a_failure_stands_in_its_log(start, tmp_path):
    assert start("break").wait(LIMIT_S) == 1
    assert "RuntimeError: a defect" in (tmp_path / "log").read_text()
    assert (tmp_path / LOG).read_text() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_and_later_ones_reach_nobody(start, tmp_path, number):
    fork = start("wait")
    begun(tmp_path)
    assert fork.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        fork.wait(0)
    fork.send_signal(number)
    assert fork.wait(LIMIT_S) == -number
    fork.kill()
    assert fork.returncode == -number
    assert gone(fork.pid)


def test_each_tells_its_own_end(start, tmp_path):
    waiting = start("wait")
    begun(tmp_path)
    assert start("tell").wait(LIMIT_S) == 3
    assert waiting.poll() is None
    process.stop(waiting, signal.SIGTERM, LIMIT_S)
    assert waiting.returncode == -signal.SIGTERM


def test_it_leads_a_session_and_bears_the_name_of_its_module(start, tmp_path):
    fork = start("wait")
    begun(tmp_path)
    assert os.getsid(fork.pid) == fork.pid
    assert psutil.Process(fork.pid).name() == "echoes"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_when_the_server_dies_its_forks_do_and_the_next_has_another(start, tmp_path, number):
    fork = start("wait", death_signal=signal.SIGINT)
    begun(tmp_path)
    server = psutil.Process(fork.pid).parent()
    server.send_signal(number)
    assert fork.wait(LIMIT_S) == -signal.SIGKILL  # nobody is left to tell how it really ended
    assert gone(fork.pid)
    assert "KeyboardInterrupt" in (tmp_path / "log").read_text()
    assert start("tell").wait(LIMIT_S) == 3


def test_the_background_of_a_shell_does_not_keep_it_from_ending(echoes):
    argv = [sys.executable, "-m", "echoes", "wait"]
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        server = ForkServer(["echoes.app"], echoes)
    finally:
        signal.signal(signal.SIGINT, ignored)
    try:
        fork = server.spawn(argv, log=echoes / "log", cwd=echoes)
        begun(echoes)
        fork.send_signal(signal.SIGINT)
        assert fork.wait(LIMIT_S) in (1, -signal.SIGINT)
    finally:
        server.close()


def test_closing_ends_what_runs_still(forks, start, tmp_path):
    fork = start("wait")
    begun(tmp_path)
    forks.close()
    assert gone(fork.pid)
