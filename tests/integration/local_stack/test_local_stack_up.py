"""`gridtally up`, `down` and `status`, with small stand-ins for the services.

The stand-ins speak what the stack knows of a service: two words, environment, HTTP and signals.
They are put before the real packages on the module path; tests/e2e brings the real ones up.
"""

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time

import httpx
import psutil
import pytest

from gridtally.cli.installation import SERVICES
from gridtally.cli.stack_state import read_state
from gridtally.local_stack.console import CONSOLE

LIMIT_S = 300
POLL_S = 0.05
STAND_IN = """
import http.server, json, os, sys
from urllib.parse import urlsplit

name = __spec__.parent.removeprefix("gridtally.")
if sys.argv[1] == "migrate":
    if os.environ.get("BROKEN_MIGRATION") == name:
        sys.exit("column does not exist")
    open("migrated", "w").close()
    sys.exit()
if os.environ.get("BROKEN_START") == name:
    sys.exit("a setting is missing")

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        seen = {key: value for key, value in os.environ.items() if key in (
            "KAFKA_BOOTSTRAP_SERVERS", "OPERATOR_TOKEN_SHA256", "LOG_LEVEL", "POSTGRES_ADMIN_URL",
            "CONSOLE_SECRETS", "BILLING_URL")}
        seen["user"] = urlsplit(os.environ.get("DATABASE_URL", "")).username
        seen["migrated"] = os.path.exists("migrated")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(seen).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(201)
        self.end_headers()
        self.wfile.write(b'{"path": "/enter?ticket=once"}')

address = (os.environ["HTTP_HOST"], int(os.environ["HTTP_PORT"]))
http.server.HTTPServer(address, Answer).serve_forever()
"""


@pytest.fixture
def environment(open_dir):
    modules = open_dir / "modules"
    for name in (*SERVICES, CONSOLE):
        package = modules / "gridtally" / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(textwrap.dedent(STAND_IN))
    given = ("KAFKA_BOOTSTRAP_SERVERS", "POSTGRES_ADMIN_URL")
    kept = {key: value for key, value in os.environ.items() if key not in given}
    return kept | {"PYTHONPATH": str(modules)}


@pytest.fixture
def data_dir(open_dir):
    return open_dir / "data"


@pytest.fixture
def gridtally(environment, data_dir):
    def run(word, *options, **more_environment):
        return subprocess.run(
            [sys.executable, "-m", "gridtally.cli", word, "--data-dir", str(data_dir), *options],
            env=environment | more_environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    return run


@pytest.fixture
def up(environment, data_dir):
    """Starts `gridtally up` on the wheels and waits until it is ready."""
    started = []

    def start(*options):
        command = ["up", "--servers", "wheels", "--data-dir", str(data_dir), *options]
        process = subprocess.Popen(
            [sys.executable, "-m", "gridtally.cli", *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        process.said = []
        for line in process.stdout:
            process.said.append(line)
            if line.startswith("ready"):
                return process
        raise AssertionError("".join(process.said))

    yield start
    for process in started:
        process.terminate()
        process.wait(LIMIT_S)
        process.stdout.close()


def asked(url):
    return httpx.get(url, timeout=LIMIT_S).json()


def kill(state, name):
    (found,) = (process for process in state.processes if process.name == name)
    psutil.Process(found.pid).kill()


def changed(before, data_dir, process):
    """The state once it is another than before."""
    while (now := read_state(data_dir)) == before:
        assert process.poll() is None
        time.sleep(POLL_S)
    return now


def test_up_status_and_down(up, gridtally, data_dir):
    first = up()
    said = "".join(first.said)
    assert "Tansu v0" in said
    assert "PostgreSQL 18" in said
    urls = dict(re.findall(r"^(\w+) at (http://127\.0\.0\.1:\d+)$", said, re.MULTILINE))
    assert tuple(urls) == SERVICES
    token = (data_dir / "operator-token").read_text()
    for name, url in urls.items():
        seen = asked(url)
        assert seen["user"] == name
        assert seen["migrated"]
        assert seen["OPERATOR_TOKEN_SHA256"] == hashlib.sha256(token.encode()).hexdigest()
        assert "POSTGRES_ADMIN_URL" not in seen
    assert token not in said
    (address,) = re.findall(
        r"^Console: (http://127\.0\.0\.1:\d+)/enter\?ticket=once$", said, re.MULTILINE
    )
    assert asked(address)["BILLING_URL"] == urls["billing"]
    readable = [path for path in data_dir.iterdir() if path.name in {"services", "operator-token"}]
    assert [path.stat().st_mode & 0o077 for path in readable] == [0, 0]

    shown = gridtally("status")
    assert shown.returncode == 0, shown.stderr
    assert all(url in shown.stdout for url in urls.values())

    second = gridtally("up", "--servers", "wheels")
    assert second.returncode == 1
    assert re.fullmatch(
        r"error: gridtally is already up in \S+; see `gridtally status`\n", (second.stderr)
    )

    state = read_state(data_dir)
    ended = gridtally("down")
    assert (ended.returncode, ended.stdout) == (0, "everything is down\n")
    assert first.wait(LIMIT_S) == 0
    assert not any(recorded.find() for recorded in state.processes)
    assert gridtally("status").returncode == 1
    assert gridtally("down").stdout == "nothing was running\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_take_everything_down(up, data_dir, how):
    process = up()
    state = read_state(data_dir)
    process.send_signal(how)
    process.send_signal(how)
    assert process.wait(LIMIT_S) == 0
    assert not any(recorded.find() for recorded in state.processes)
    assert read_state(data_dir) is None


def test_after_kill_minus_nine_the_next_up_works(up, data_dir):
    process = up()
    state = read_state(data_dir)
    token = (data_dir / "operator-token").read_text()
    process.kill()
    process.wait()
    up()
    assert not any(recorded.find() for recorded in state.processes)
    assert (data_dir / "operator-token").read_text() == token


def test_down_clears_what_a_killed_up_left(up, gridtally, data_dir):
    process = up()
    state = read_state(data_dir)
    process.kill()
    process.wait()
    assert gridtally("status").returncode == 1
    assert gridtally("down").returncode == 0
    assert not any(recorded.find() for recorded in state.processes)
    assert read_state(data_dir) is None


def test_a_service_that_dies_is_started_again_where_it_was(up, gridtally, data_dir):
    process = up()
    before = read_state(data_dir)
    kill(before, "billing")
    assert process.stdout.readline().startswith("billing ended unexpectedly and is started again")
    now = changed(before, data_dir, process)
    assert [recorded.address for recorded in now.processes] == [
        recorded.address for recorded in before.processes
    ]
    assert gridtally("status").returncode == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT_S) == 0
    assert not any(recorded.find() for recorded in now.processes)


def test_one_that_dies_over_and_over_takes_no_other_down(up, gridtally, data_dir):
    process = up()
    state = read_state(data_dir)
    for pause in ["", " in 1 s", " in 2 s"]:
        kill(state, "billing")
        message = f"billing ended unexpectedly and is started again{pause}; "
        said = process.stdout.readline()
        while not said.startswith("billing ended"):  # what its log says last
            said = process.stdout.readline()
        assert said.startswith(message)
        state = changed(state, data_dir, process)
    assert gridtally("status").returncode == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT_S) == 0


def test_a_server_that_dies_ends_the_stack_loudly(up, data_dir):
    process = up()
    state = read_state(data_dir)
    kill(state, "postgres")
    assert process.wait(LIMIT_S) == 1
    assert "error: postgres ended unexpectedly" in process.stdout.read()
    assert not any(recorded.find() for recorded in state.processes)


def test_a_data_directory_that_cannot_be_made_is_one_message(gridtally, data_dir):
    data_dir.write_text("a file")
    done = gridtally("up")
    assert done.returncode == 1
    assert done.stderr == f"error: {data_dir} cannot be the data directory: File exists\n"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("BROKEN_MIGRATION", "tariff could not migrate its database; its log ends:\ncolumn does"),
        ("BROKEN_START", "tariff did not start; its log ends:\na setting is missing"),
    ],
)
def test_a_service_that_does_not_come_up_shows_its_log(gridtally, data_dir, broken, message):
    done = gridtally("up", "--servers", "wheels", **{broken: "tariff"})
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert read_state(data_dir) is None


def test_asked_ports_are_kept_or_named(up, gridtally):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for option in ("--kafka-port", "--postgres-port", "--http-port"):
            done = gridtally("up", "--servers", "wheels", option, str(port))
            assert done.returncode == 1
            assert f"port {port} is taken" in done.stderr
    assert f"Tansu v0.6.0-510f3e2 (memory only) on 127.0.0.1:{port}\n" in (
        up("--kafka-port", str(port)).said
    )
