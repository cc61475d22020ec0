"""`make servers`: what it keeps up is taken by test runs, and a word of it that is stale is not."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

import servers
from gridtally.local_stack.servers import ADMIN_URL, BOOTSTRAP

LIMIT_S = 120
POLL_S = 0.05


@pytest.fixture
def environment(tmp_path):
    """Asks for the wheels, which start in a second; their file is this test's own."""
    kept = {name: value for name, value in os.environ.items() if name not in (BOOTSTRAP, ADMIN_URL)}
    return kept | {servers.FILE: str(tmp_path / "servers.json"), servers.CHOICE: "wheels"}


@pytest.fixture
def up(environment):
    """The running command, once its servers are up."""
    command = [sys.executable, servers.__file__, "up"]
    process = subprocess.Popen(command, env=environment)
    deadline_s = time.monotonic() + LIMIT_S
    while not servers.file_of(environment).exists():
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline_s, "it never came up"
        time.sleep(POLL_S)
    yield process
    process.kill()
    process.wait()


def test_servers_that_are_up_are_taken(up, environment):
    standing = servers.Standing.read(servers.file_of(environment))
    with servers.servers_of_tests(environment) as taken:
        assert taken.bootstrap == standing.environment[BOOTSTRAP]
        assert taken.broker is None, "they belong to another process"
        assert not taken.idempotence, "Tansu takes no idempotent producers"
    assert standing.answers(), "they outlive whoever took them"
    again = subprocess.run([*up.args], env=environment, capture_output=True, text=True, check=False)
    assert "up already" in again.stderr
    servers.down(servers.file_of(environment))
    assert up.wait(LIMIT_S) == 0
    assert not servers.file_of(environment).exists()


def test_those_of_another_kind_are_left_alone(up, environment):
    assert up.poll() is None
    assert not servers.fits("wheels", servers.chosen(environment | {servers.CHOICE: "real"}))
    assert servers.fits("wheels", servers.chosen(environment | {servers.CHOICE: "auto"}))


def test_a_killed_owner_leaves_a_stale_file_that_nobody_believes(up, environment):
    file = servers.file_of(environment)
    standing = servers.Standing.read(file)
    up.send_signal(signal.SIGKILL)
    up.wait()
    assert servers.Standing.read(file) == standing
    assert not standing.answers()
    with servers.servers_of_tests(environment) as own:
        assert own.bootstrap != standing.environment[BOOTSTRAP]
        assert own.broker is not None
    shutil.rmtree(standing.folder)
