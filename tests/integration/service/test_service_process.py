"""A service's process on the real broker and database: start, keys, tenants, stop, crash."""

import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy.engine import make_url

from certificates import Authority
from gridtally.service.https import trusted

LIMIT_S = 120.0


def notes(client, key):
    answer = client.get("/v1/notes", headers=key)
    assert answer.status_code == 200, answer.text
    return [tuple(note) for note in answer.json()]


def until(holds):
    deadline_s = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_without_its_schema_it_refuses_to_start(start):
    running = start("serve")
    assert "run `python -m notes migrate` first" in running.logged("cannot start")["reason"]
    assert running.exit_code() == 1
    migration = start("migrate")
    migration.logged("migrated")
    assert migration.exit_code() == 0
    start("api").logged("ready")


@pytest.mark.parametrize("mode", ["serve", "migrate"])
def test_with_a_wrong_password_it_ends_at_once_with_the_reason(start, database_url, mode):
    url = make_url(database_url()).set(password="guessed")  # noqa: S106 - no secret
    running = start(mode, DATABASE_URL=url.render_as_string(hide_password=False))
    reason = running.logged("cannot start")["reason"]
    assert re.fullmatch(r"the database refuses us: .* failed .*; see DATABASE_URL", reason)
    assert running.exit_code() == 1
    assert running.log.read_text().count("\n") == 1
    assert "guessed" not in running.log.read_text()


def test_it_reports_that_its_address_is_taken(migrated):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        running = migrated("api", HTTP_PORT=str(taken.getsockname()[1]))
        assert "cannot listen on 127.0.0.1" in running.logged("cannot start")["reason"]
        assert running.exit_code() == 1


def test_it_speaks_https_itself_and_http_for_health(migrated, tmp_path):
    authority = Authority()
    own, ca = authority.server(), tmp_path / "ca.pem"
    ca.write_bytes(authority.certificate)
    files = {"HTTPS_CERTIFICATE_FILE": own.certificate, "HTTPS_KEY_FILE": own.key}
    for name, pem in files.items():
        (tmp_path / name).write_bytes(pem)
    named = {name: str(tmp_path / name) for name in files}
    running = migrated("api", HEALTH_PORT="0", **named)
    with running.client(trusted(ca)) as client:
        north = running.make_key(client, "north", "notes:read", "notes:write")
        texts = [f"{n:02}" + "n" * 2_600 for n in range(40)]  # together more than one write
        for text in texts:
            assert client.post(f"/v1/notes/{text}", headers=north).status_code == 201
        assert [text for text, _ in notes(client, north)] == texts
        with pytest.raises(httpx.HTTPError), running.client() as other:
            other.get("/v1/notes", headers=north)
    health = httpx.get(f"http://127.0.0.1:{running.logged('ready')['health_port']}/health/ready")
    assert health.status_code == 200


def test_a_note_is_written_published_consumed_and_seen_by_its_tenant_only(migrated):
    running = migrated("serve")
    with running.client() as client:
        north = running.make_key(client, "north", "notes:read", "notes:write")
        south = running.make_key(client, "south", "notes:read")
        answer = client.post("/v1/notes/hello", headers=north | {"x-correlation-id": "walk-7"})
        assert answer.status_code == 201
        assert client.post("/v1/notes/hello", headers=south).status_code == 403
        until(lambda: len(notes(client, north)) == 2)
        assert notes(client, north) == [("heard north:hello", "walk-7"), ("hello", "walk-7")]
        assert notes(client, south) == []
        refused = client.post("/v1/notes/%00", headers=north)
        assert (refused.status_code, refused.json()["code"]) == (422, "unstorable_text")
        until(lambda: 'task_handled_total{task="relay"} 1.0' in client.get("/metrics").text)
        assert "database_connections_in_use" in client.get("/metrics").text
        ready = client.get("/health/ready").json()["checks"]
        assert set(ready) == {"process", "database", "notes.readings.rejected.v1", "tick", "relay"}
        secret = north["authorization"].removeprefix("Bearer ")
    running.process.send_signal(signal.SIGTERM)
    assert running.exit_code() == 0
    assert running.logged("stopped")
    text = running.log.read_text()
    assert secret not in text
    assert running.operator["authorization"].removeprefix("Bearer ") not in text
    assert '"correlation_id": "walk-7"' in text


def test_keys_are_registered_once_listed_without_their_hash_and_revoked(migrated):
    running = migrated("api")
    operator = running.operator
    with running.client() as client:
        body = {
            "tenant_id": "north",
            "key_id": "abcdefgh",
            "secret_sha256": "0" * 64,
            "scopes": ["notes:write", "notes:read"],
            "name": "meter gateway",
        }
        again = body | {"scopes": body["scopes"][::-1]}
        other = body | {"tenant_id": "south"}
        answers = [client.post("/v1/keys", json=x, headers=operator) for x in (body, again, other)]
        assert [answer.status_code for answer in answers] == [201, 200, 409]
        key = running.make_key(client, "south", "notes:read")
        first = client.get("/v1/keys?limit=1", headers=operator).json()
        second = client.get(
            "/v1/keys", params={"limit": 1, "cursor": first["next_cursor"]}, headers=operator
        ).json()
        assert len(first["items"] + second["items"]) == 2
        assert second["next_cursor"] is None
        assert "sha256" not in str(first)
        assert notes(client, key) == []
        key_id = key["authorization"].split("_")[1]
        path = f"/v1/keys/{key_id}"
        assert client.delete(path, headers=operator).status_code == 204
        assert client.get("/v1/notes", headers=key).status_code == 401
        assert client.delete(path, headers=operator).status_code == 204
        assert client.delete("/v1/keys/zzzzzzzz", headers=operator).status_code == 404
    assert running.logged("key registered")["key_id"] == "abcdefgh"
    assert running.logged("key revoked")["key_id"] == key_id


def test_headers_without_end_are_cut_off(migrated):
    address = ("127.0.0.1", migrated("api").logged("ready")["port"])
    with socket.create_connection(address, timeout=LIMIT_S) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nX-Long: ")
        with pytest.raises(ConnectionError):
            for _ in range(10_000):
                connection.sendall(b"x" * 10_000)


def test_health_and_metrics_have_a_port_of_their_own_where_one_is_named(migrated):
    running = migrated("serve", HEALTH_PORT="0")
    ready = running.logged("ready")
    assert ready["health_port"] != ready["port"]
    with running.client() as client:
        paths = ("/health/live", "/health/ready", "/metrics")
        assert [client.get(path).status_code for path in paths] == [404, 404, 404]
        base = f"http://127.0.0.1:{ready['health_port']}"
        with httpx.Client(base_url=base, timeout=LIMIT_S) as operator:
            assert [operator.get(path).status_code for path in paths] == [200, 200, 200]
            assert operator.get("/v1/notes").json()["code"] == "not_found"
    running.process.send_signal(signal.SIGTERM)
    assert running.exit_code() == 0


def test_a_revocation_reaches_other_processes(migrated):
    running, second = migrated("api"), migrated("api")
    with running.client() as client, second.client() as other:
        key = running.make_key(client, "north", "notes:read")
        assert notes(other, key) == []
        client.delete(f"/v1/keys/{key['authorization'].split('_')[1]}", headers=running.operator)
        until(lambda: other.get("/v1/notes", headers=key).status_code != 200)
        assert other.get("/v1/notes", headers=key).status_code == 401


def test_without_a_broker_it_lives_and_answers_but_is_not_ready(migrated):
    with socket.create_server(("127.0.0.1", 0)) as freed:
        port = freed.getsockname()[1]
    running = migrated("serve", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", HTTP_PORT=str(port))
    running.logged("retrying")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=LIMIT_S) as client:
        assert client.get("/health/live").status_code == 200
        ready = client.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["checks"]["relay"] == "not started"
        key = running.make_key(client, "north", "notes:read", "notes:write")
        assert client.post("/v1/notes/hello", headers=key).status_code == 201
        assert [text for text, _ in notes(client, key)] == ["hello"]
    running.process.send_signal(signal.SIGTERM)
    assert running.exit_code() == 0


def test_asked_to_stop_it_answers_what_was_asked_and_takes_no_more(migrated):
    running = migrated("serve")
    with running.client() as client, ThreadPoolExecutor() as pool:
        slow = pool.submit(client.get, "/v1/notes/slowly")
        running.logged("asked slowly")
        running.process.send_signal(signal.SIGTERM)
        assert slow.result().json() == "done"
        assert running.exit_code() == 0
        with pytest.raises(httpx.TransportError):
            client.get("/health/live")


def test_a_crash_of_one_task_ends_the_process(migrated):
    running = migrated("serve", CONSUMER_CRASHES_ON="boo")
    with running.client() as client:
        key = running.make_key(client, "north", "notes:write")
        assert client.post("/v1/notes/boo", headers=key).status_code == 201
    crashed = running.logged("task crashed")
    assert crashed["task"] == "notes.readings.rejected.v1"
    assert "MemoryError" in crashed["exception"]
    assert running.exit_code() == 1


def test_what_does_not_stop_in_time_is_ended(migrated):
    running = migrated("serve", LOOP_IGNORES_STOP="1", SHUTDOWN_TIMEOUT_S="1")
    running.logged("ready")
    running.process.send_signal(signal.SIGTERM)
    assert running.exit_code() == 1
    assert running.logged("not stopped in time")


def test_the_second_signal_ends_it_at_once(migrated):
    running = migrated("serve", LOOP_IGNORES_STOP="1")
    running.logged("ready")
    running.process.send_signal(signal.SIGTERM)
    running.logged("stopping")
    running.process.send_signal(signal.SIGTERM)
    assert running.exit_code() == 128 + signal.SIGTERM


@pytest.mark.parametrize("mode", ["work", "relay"])
def test_the_other_modes_answer_health_and_no_business(migrated, mode):
    running = migrated(mode)
    with running.client() as client:
        until(lambda: client.get("/health/ready").status_code == 200)
        assert client.get("/v1/notes").status_code == 404
    running.process.send_signal(signal.SIGINT)
    assert running.exit_code() == 0
