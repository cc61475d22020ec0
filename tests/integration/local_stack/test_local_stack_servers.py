"""Which servers run: real ones, wheels, or those that are named; and the databases in them."""

import asyncio

import asyncpg
import pytest

from gridtally.cli.installation import SERVICES
from gridtally.local_stack.cache import default_cache
from gridtally.local_stack.errors import StackError, Unavailable
from gridtally.local_stack.kafka import Kafka
from gridtally.local_stack.postgres import admin_url
from gridtally.local_stack.provision import connected, provision
from gridtally.local_stack.server import Server
from gridtally.local_stack.servers import choose, servers
from gridtally.local_stack.tansu import Tansu
from gridtally.local_stack.timescale import timescale


def ask(url, statement):
    async def run():
        async with connected(url) as connection:
            return await connection.fetchval(statement)

    return asyncio.run(run())


def test_wheels_start_empty_each_time_and_say_so(open_dir):
    for _ in range(2):
        with servers(open_dir, "wheels", environment={}) as running:
            assert ask(running.admin_url, "SELECT to_regclass('t')::text") is None
            ask(running.admin_url, "CREATE TABLE t (x int)")
            assert any("starts empty each time" in line for line in running.descriptions)
            assert any("memory only" in line for line in running.descriptions)


def test_real_servers_keep_their_data_in_a_folder_of_any_name(monkeypatch, open_dir):
    monkeypatch.setenv("LC_ALL", "C")
    open_dir = open_dir / "Zählerstände, new and old"
    with servers(open_dir, "real", environment={}) as running:
        assert running.descriptions[0].startswith("Apache Kafka 4")
        assert running.descriptions[1].startswith("TimescaleDB 2.19.3 on PostgreSQL 17")
        ask(running.admin_url, "CREATE TABLE t (x int)")
    with servers(open_dir, "real", environment={}) as running:
        assert ask(running.admin_url, "SELECT to_regclass('t')::text") == "t"


def test_without_java_auto_falls_back_with_the_reason_and_real_fails(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    broker, _, notes = choose("auto", default_cache())
    assert isinstance(broker, Tansu)
    assert notes == ("Apache Kafka needs Java 17 or newer, and there is none",)
    with pytest.raises(Unavailable, match="Java 17"):
        choose("real", default_cache())


def test_what_cannot_be_fetched_is_unavailable(monkeypatch, open_dir):
    java_only = open_dir / "bin"
    java_only.mkdir()
    java = choose("real", default_cache())[0]
    assert isinstance(java, Kafka)
    (java_only / "java").symlink_to(java.java)
    monkeypatch.setenv("PATH", str(java_only))
    _, database, notes = choose("auto", open_dir / "empty-cache")
    assert database.title.startswith("PostgreSQL 18")
    assert ["Maven" in notes[0], "Debian system" in notes[1]] == [True, True]


def test_each_service_gets_its_own_database_once(open_dir):
    kept = open_dir / "passwords.json"
    with Server(timescale(default_cache()), open_dir / "pg") as server:
        admin = admin_url(server)
        first = asyncio.run(provision(admin, SERVICES, kept))
        assert asyncio.run(provision(admin, SERVICES, kept)) == first
        assert kept.stat().st_mode & 0o777 == 0o600
        assert list(first) == list(SERVICES)
        for name, url in first.items():
            assert ask(url, "SELECT current_user::text") == name
            assert ask(url, "SELECT current_database()::text") == name
        owner = "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = 'billing'"
        assert ask(admin, owner) == "billing"
        with pytest.raises(StackError, match="permission denied"):
            ask(first["billing"].rpartition("/")[0] + "/ledger", "SELECT 1")
        extension = "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'"
        assert [ask(first[name], extension) for name in ("ingest", "ledger")] == [1, 0]


def test_a_server_that_refuses_to_make_databases_is_one_plain_message(database_url, tmp_path):
    no_superuser = database_url()
    with pytest.raises(StackError, match=r"could not make the databases: permission denied"):
        asyncio.run(provision(no_superuser, SERVICES, tmp_path / "passwords.json"))


def test_a_server_that_is_away_is_one_plain_message():
    with pytest.raises(StackError, match=r"PostgreSQL at 127\.0\.0\.1:1: ") as raised:
        ask("postgresql://postgres:secret@127.0.0.1:1/postgres", "SELECT 1")
    assert "secret" not in str(raised.value)
    assert not isinstance(raised.value, asyncpg.PostgresError)
