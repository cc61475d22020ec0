"""PostgreSQL as a child process: durable, alone in its directory, and gone with its parent."""

import asyncio
import os
import pwd
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import asyncpg
import psutil
import pytest

from gridtally.local_stack import parent_watch, postgres, process
from gridtally.local_stack.cache import default_cache
from gridtally.local_stack.errors import StackError
from gridtally.local_stack.server import Server
from gridtally.local_stack.timescale import timescale

LIMIT_S = 120


@pytest.fixture(params=["wheel", "timescale"])
def program(request):
    return postgres.wheel() if request.param == "wheel" else timescale(default_cache())


def ask(server, *statements):
    """The last statement's answer."""

    async def run():
        connection = await asyncpg.connect(postgres.admin_url(server))
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])
        finally:
            await connection.close()

    return asyncio.run(run())


def test_kill_minus_nine_loses_no_commit_and_keeps_the_port(program, open_dir):
    with Server(program, open_dir / "pg") as server:
        port = server.port
        ask(server, "CREATE TABLE t AS SELECT 7 AS x", "SELECT 1")
        server.kill()
        assert server.pid is None
        server.start()
        assert server.port == port
        assert ask(server, "SELECT x FROM t") == 7


def test_data_and_password_outlive_a_stop(program, open_dir):
    for expected in (1, 2):
        with Server(program, open_dir / "pg") as server:
            create = "CREATE TABLE IF NOT EXISTS t (x int)"
            assert ask(server, create, "INSERT INTO t VALUES (1)", "SELECT sum(x) FROM t") == (
                expected
            )


def test_it_is_durable_utf8_and_asks_for_passwords(program, open_dir):
    with Server(program, open_dir / "pg") as server:
        shown = {
            name: ask(server, f"SHOW {name}")
            for name in ("fsync", "synchronous_commit", "server_encoding", "listen_addresses")
        }
        assert shown == {
            "fsync": "on",
            "synchronous_commit": "on",
            "server_encoding": "UTF8",
            "listen_addresses": "127.0.0.1",
        }
        assert ask(server, "SHOW unix_socket_directories") == ""
        assert ask(server, "SELECT upper('ä')") == "Ä"
        assert (server.directory / "password").stat().st_mode & 0o777 == 0o600
        with pytest.raises(asyncpg.InvalidPasswordError):
            asyncio.run(
                asyncpg.connect(f"postgresql://postgres:wrong@127.0.0.1:{server.port}/postgres")
            )


def test_timescale_is_the_real_one(open_dir):
    with Server(timescale(default_cache()), open_dir / "pg") as server:
        made = ask(
            server,
            "CREATE EXTENSION timescaledb",
            "CREATE TABLE t (at timestamptz NOT NULL, x int)",
            "SELECT create_hypertable('t', by_range('at'))::text",
        )
        assert made
        assert ask(server, "SELECT extversion FROM pg_extension WHERE extname='timescaledb'") == (
            "2.19.3"
        )


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_root_runs_it_as_nobody_whether_or_not_nobody_can_reach_it(open_dir, mode):
    private = open_dir / "home"
    private.mkdir(mode=mode)
    with Server(postgres.wheel(), private / "pg") as server:
        owner = (private / "pg" / "pgdata").stat().st_uid
        if os.geteuid() == 0:
            assert owner == (pwd.getpwnam("nobody").pw_uid if mode == 0o755 else 0)
        else:
            assert owner == os.geteuid()
        assert ask(server, "SELECT 1") == 1


def test_an_ordinary_user_runs_it(open_dir):
    code = f"""
        import os, sys
        from pathlib import Path
        from gridtally.local_stack import postgres
        from gridtally.local_stack.server import Server
        assert os.geteuid() != 0
        with Server(postgres.wheel(), Path({str(open_dir / "pg")!r})) as server:
            print(server.pid)
    """
    user = "mapped" if os.geteuid() == 0 else "own"
    demoted = [sys.executable, "-IS", parent_watch.__file__, str(os.getpid()), "15", user]
    done = subprocess.run(
        [*demoted, sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


def test_a_stale_pid_file_harms_no_innocent_process(open_dir):
    server = Server(postgres.wheel(), open_dir / "pg")
    with server:
        server.kill()
    innocent = subprocess.Popen(["sleep", "3600"])
    try:
        stale = open_dir / "pg" / "pgdata" / "postmaster.pid"
        lines = stale.read_text().splitlines()
        stale.write_text("\n".join([str(innocent.pid), *lines[1:]]) + "\n")
        with server:
            assert ask(server, "SELECT 1") == 1
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_a_taken_port_is_named(open_dir):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} is taken"):
            Server(postgres.wheel(), open_dir / "pg", port).start()


def test_a_port_that_clients_know_is_not_replaced(program, open_dir):
    with Server(program, open_dir / "pg") as server:
        server.kill()
        # children of the killed one may hold its port for moments
        process.end_leftovers(server.directory, program.process_name, signal.SIGKILL, LIMIT_S)
        taken = pytest.raises(StackError, match=f"port {server.port} is taken")
        with socket.create_server(("127.0.0.1", server.port)), taken:
            server.start()
        server.start()


def test_a_port_lost_between_choosing_and_binding_is_replaced(open_dir):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        server = Server(postgres.wheel(), open_dir / "pg")
        server._port = other.getsockname()[1]
        with server:
            assert server.port != other.getsockname()[1]
            assert ask(server, "SELECT 1") == 1


def test_a_directory_is_served_once(open_dir):
    with Server(postgres.wheel(), open_dir / "pg") as first:
        with pytest.raises(StackError, match="already running in"):
            Server(postgres.wheel(), open_dir / "pg").start()
        assert ask(first, "SELECT 1") == 1


def test_the_end_of_its_log_explains_a_failed_start(open_dir):
    with Server(postgres.wheel(), open_dir / "pg"):
        pass
    (open_dir / "pg" / "pgdata" / "PG_VERSION").write_text("9\n")
    with pytest.raises(StackError, match=r"did not start(.|\n)*incompatible") as raised:
        Server(postgres.wheel(), open_dir / "pg").start()
    assert len(str(raised.value).splitlines()) < 12


def test_it_dies_with_its_parent_and_starts_again(open_dir):
    code = f"""
        import time
        from pathlib import Path
        from gridtally.local_stack import postgres
        from gridtally.local_stack.server import Server
        server = Server(postgres.wheel(), Path({str(open_dir / "pg")!r}))
        server.start()
        print(server.pid, flush=True)
        time.sleep(3600)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    child = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    if sys.platform == "linux":
        psutil.wait_procs([child], timeout=LIMIT_S)
        assert not child.is_running()
    with Server(postgres.wheel(), open_dir / "pg") as server:
        assert ask(server, "SELECT 1") == 1


def test_no_process_of_it_is_left(open_dir):
    with Server(postgres.wheel(), open_dir / "pg") as server:
        family = psutil.Process(server.pid).children(recursive=True)
        assert family
        data = Path(psutil.Process(server.pid).cwd())
        assert data == (open_dir / "pg" / "pgdata")
    _, alive = psutil.wait_procs(family, timeout=LIMIT_S)
    assert not alive
