"""A broker that wants TLS, a name and a password, and lets only some write.

The whole of a process meets it: topics, the log's identity, adoption, consumer, producer, relay.
"""

import json
import secrets
import subprocess
import time
from base64 import b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs
from uuid import uuid4

import pytest
from aiokafka.errors import KafkaError

from certificates import Authority
from gridtally.contracts.metering import ReadingsReceived
from gridtally.kernel.errors import Transient
from gridtally.local_stack import process
from gridtally.local_stack.cache import default_cache
from gridtally.local_stack.kafka import CONFIG, Kafka, kafka
from gridtally.local_stack.server import Server
from gridtally.messaging import BrokerAccess, OutgoingMessage, Publisher, ensure_topics

PASSWORD = secrets.token_urlsafe(12)
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
TOKENS = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
UNSIGNED = (
    "org.apache.kafka.common.security.oauthbearer.internals.unsecured."
    "OAuthBearerUnsecuredValidatorCallbackHandler"
)
"""Takes tokens that nobody has signed: what signs them is not ours to test."""
LIFE_S = 3
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
USERS = " ".join(
    ['username="broker"', f'password="{PASSWORD}"']
    + [f'user_{name}="{PASSWORD}"' for name in ("broker", "notes", "gateway")]
)
SECURITY = f"""
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl_ssl.plain.sasl.jaas.config={PLAIN} {USERS};
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={SCRAM}
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={SCRAM}
listener.name.sasl_ssl.oauthbearer.sasl.jaas.config={TOKENS}
listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class={UNSIGNED}
ssl.keystore.type=PEM
ssl.keystore.location=broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=../ca.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker;User:notes;User:ANONYMOUS
"""
"""Beyond the local stack's own; only the controller, on a port of its own, is ANONYMOUS."""


class Secured(Kafka):
    """Apache Kafka that lets nobody in without TLS and a password."""

    __slots__ = ()

    def prepare(self, directory):
        super().command(directory, process.free_port())
        users = [
            part
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            for part in ("--add-scram", f"{mechanism}=[name=notes,password={PASSWORD}]")
        ]
        tool = self._java("kafka.tools.StorageTool")
        cluster = ["format", "--config", CONFIG, "--cluster-id", uuid4().hex[:22]]
        subprocess.run([*tool, *cluster, *users], cwd=directory, check=True)

    def command(self, directory, port):
        command = super().command(directory, port)
        config = directory / CONFIG
        listeners = config.read_text().partition("\nlisteners=")[2].partition("\n")[0]
        secured = listeners.replace("PLAINTEXT://", "SASL_SSL://")
        config.write_text(f"{config.read_text()}{SECURITY}listeners={secured}\n")
        return command

    def is_ready(self, directory, port, pid):
        del directory, pid
        return not process.is_port_free(port)


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def broker(authority, tmp_path_factory):
    """Where it is, and the file that says whom to trust."""
    plain, folder = kafka(default_cache()), tmp_path_factory.mktemp("secured")
    program = Secured(plain.title, plain.java, plain.jars)
    own = authority.server()
    (folder / "kafka").mkdir()
    (folder / "kafka" / "broker.pem").write_bytes(own.key + own.certificate)
    (folder / "ca.pem").write_bytes(authority.certificate)
    with Server(program, folder / "kafka") as server:
        yield f"127.0.0.1:{server.port}", folder / "ca.pem"


@pytest.fixture
def tokens():
    """Gives short-lived tokens to the client `notes`; lists the scopes asked for."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            name, _, secret = (
                b64decode(self.headers["authorization"].removeprefix("Basic "))
                .decode()
                .partition(":")
            )
            is_known = (name, secret) == ("notes", PASSWORD)
            asked.append(form.get("scope"))
            assert form["grant_type"] == ["client_credentials"]
            body = {"access_token": unsigned(name, LIFE_S), "expires_in": LIFE_S}
            self.send_response(200 if is_known else 401)
            self.end_headers()
            self.wfile.write(json.dumps(body if is_known else {"error": "invalid_client"}).encode())

        def log_message(self, *_):
            """Nothing of it is of interest."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/token", asked
        server.shutdown()


def unsigned(name, life_s):
    """A token of this name without a signature, as RFC 7515 writes it."""
    now = time.time()
    claims = {"sub": name, "iat": now, "exp": now + life_s, "scope": "all"}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return "".join(urlsafe_b64encode(part).rstrip(b"=").decode() + "." for part in parts)


def settings(broker, mechanism="PLAIN", password=PASSWORD, ca=None):
    bootstrap, ca_file = broker
    return {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": mechanism, "KAFKA_USERNAME": "notes", "KAFKA_PASSWORD": password,
        "KAFKA_CA_FILE": str(ca or ca_file), "KAFKA_IDEMPOTENCE": "true",
    }  # fmt: skip


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_process_publishes_and_consumes(broker, migrated, mechanism):
    running = migrated("serve", **settings(broker, mechanism))
    with running.client() as client:
        key = running.make_key(client, "north", "notes:read", "notes:write")
        assert client.post("/v1/notes/hello", headers=key).status_code == 201
        running.logged("handled")
        texts = {text for text, _ in client.get("/v1/notes", headers=key).json()}
        assert any(text.startswith("heard ") for text in texts), texts
    assert PASSWORD not in running.log.read_text()


def test_a_process_goes_on_when_its_token_has_ended(broker, migrated, tokens):
    """The broker closes the connections of a token with the token."""
    url, asked = tokens
    by_token = {"KAFKA_TOKEN_URL": url, "KAFKA_TOKEN_SCOPE": "kafka all"}
    running = migrated("serve", **settings(broker, "OAUTHBEARER"), **by_token)
    with running.client() as client:
        key = running.make_key(client, "north", "notes:read", "notes:write")

        def heard():
            notes = client.get("/v1/notes", headers=key).json()
            return sum(text.startswith("heard ") for text, _ in notes)

        assert client.post("/v1/notes/hello", headers=key).status_code == 201
        until(lambda: heard() == 1)
        tokens_before = len(asked)
        until(lambda: len(asked) > tokens_before)
        assert client.post("/v1/notes/again", headers=key).status_code == 201
        until(lambda: heard() == 2)
    assert {tuple(scopes) for scopes in asked} == {("kafka all",)}
    assert PASSWORD not in running.log.read_text()


def until(holds):
    until_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until_s
        time.sleep(0.1)


@pytest.mark.parametrize("wrong", ["secret", "endpoint"])
def test_who_gets_no_token_says_why_and_tries_again(broker, migrated, tokens, wrong):
    url = tokens[0] if wrong == "secret" else "http://127.0.0.1:1/token"
    password = "wrong" if wrong == "secret" else PASSWORD
    running = migrated("serve", **settings(broker, "OAUTHBEARER", password), KAFKA_TOKEN_URL=url)
    running.logged("retrying")
    assert f"no token of {url}" in running.log.read_text()
    assert password not in running.log.read_text().replace("wrong token", "")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [("password", "Invalid username or password"), ("authority", "CERTIFICATE_VERIFY_FAILED")],
)
def test_who_is_not_let_in_says_why_and_tries_again(broker, migrated, tmp_path, wrong, why):
    other = tmp_path / "other.pem"
    other.write_bytes(Authority().certificate)
    how = {"password": "wrong"} if wrong == "password" else {"ca": other}
    running = migrated("serve", **settings(broker, **how))
    running.logged("retrying")
    assert why in running.log.read_text()
    assert PASSWORD not in running.log.read_text()


async def test_a_gateway_writes_what_the_brokers_rules_let_it_write(broker):
    bootstrap, ca_file = broker
    gateway, notes = (
        BrokerAccess("SASL_SSL", "PLAIN", name, PASSWORD, ca_file) for name in ("gateway", "notes")
    )
    await ensure_topics(bootstrap, access=notes)
    event = ReadingsReceived(
        meter_id=uuid4(), flow="import", start_at="2025-01-01T00:00:00Z", minutes=15, values=[1]
    )
    message = OutgoingMessage.of(
        event, tenant_id="acme", correlation_id="c", source="gateway", event_id=uuid4(),
        occurred_at=datetime.now(UTC),
    )  # fmt: skip
    async with Publisher(bootstrap, client_id="notes", access=notes) as publisher:
        assert await publisher.publish([message])
    async with Publisher(bootstrap, client_id="gateway", access=gateway) as publisher:
        with pytest.raises((KafkaError, Transient), match="Authorization"):
            await publisher.publish([message])
