"""Where Gridtally runs: the URLs of its services, its broker, and the secrets to reach them.

Taken from the environment (`INGEST_URL`, …, `KAFKA_BOOTSTRAP_SERVERS`, `GRIDTALLY_API_KEY`,
`GRIDTALLY_OPERATOR_TOKEN`), else from the local stack that is up. Shows no secret by itself.
"""

import hashlib
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gridtally.api import Api
from gridtally.errors import CommandError
from gridtally.stack.local import OPERATOR_TOKEN, Stack, read_state
from gridtally.stack.postgres import write_secret
from gridtally.stack.services import SERVICES

LOCAL_TENANT = "local"
API_KEY = "api-key"
KEY_ID_CHARS = 10
SCOPES = tuple(f"{service}:{right}" for service in SERVICES for right in ("read", "write"))


@dataclass(frozen=True, slots=True)
class Installation:
    """Where everything answers; the secrets are None where they are not known."""

    urls: Mapping[str, str]
    bootstrap: str | None
    operator_token: str | None = field(repr=False, default=None)
    api_key: str | None = field(repr=False, default=None)

    def as_operator(self) -> Api:
        """To make and revoke keys."""
        if self.operator_token is None:
            raise CommandError("set GRIDTALLY_OPERATOR_TOKEN to the operator's token")
        return Api(self.urls, self.operator_token)

    def as_tenant(self) -> Api:
        """To work for the tenant of the key."""
        if self.api_key is None:
            raise CommandError("set GRIDTALLY_API_KEY to a key made by `gridtally keys create`")
        return Api(self.urls, self.api_key)


def find_installation(environment: Mapping[str, str], data_dir: Path) -> Installation:
    """The installation that the environment names, else the local one in `data_dir`."""
    named = {service: f"{service.upper()}_URL" for service in SERVICES}
    given = {service: environment[name] for service, name in named.items() if name in environment}
    if len(given) == len(SERVICES):
        return Installation(
            urls=given,
            bootstrap=environment.get("KAFKA_BOOTSTRAP_SERVERS"),
            operator_token=environment.get("GRIDTALLY_OPERATOR_TOKEN"),
            api_key=environment.get("GRIDTALLY_API_KEY"),
        )
    state = read_state(data_dir)
    if state is None or not state.ready or state.owner.find() is None:
        missing = ", ".join(name for service, name in named.items() if service not in given)
        raise CommandError(
            f"no Gridtally is up in {data_dir}: start one with `gridtally up`, or set {missing}"
        )
    addresses = {process.name: process.address for process in state.processes}
    return Installation(
        urls={service: addresses[service] for service in SERVICES},
        bootstrap=addresses.get("kafka", environment.get("KAFKA_BOOTSTRAP_SERVERS")),
        operator_token=_read_secret(data_dir / OPERATOR_TOKEN),
        api_key=environment.get("GRIDTALLY_API_KEY") or _read_secret(data_dir / API_KEY),
    )


async def of_stack(stack: Stack, data_dir: Path) -> Installation:
    """The local stack with a key for its one tenant, which is made at the first start."""
    found = Installation(stack.urls, stack.servers.bootstrap, stack.operator_token)
    path = data_dir / API_KEY
    key = _read_secret(path)
    if key is None:
        key = new_key()
        write_secret(path, key)
    await register_key(found, key, tenant_id=LOCAL_TENANT, name="local stack", scopes=SCOPES)
    return Installation(found.urls, found.bootstrap, found.operator_token, key)


def new_key() -> str:
    """A fresh API key; the services learn only the SHA-256 of its secret."""
    alphabet = string.ascii_letters + string.digits
    key_id = "".join(secrets.choice(alphabet) for _ in range(KEY_ID_CHARS))
    return f"gt_{key_id}_{secrets.token_urlsafe(32)}"


async def register_key(
    installation: Installation, key: str, *, tenant_id: str, name: str, scopes: Sequence[str]
) -> None:
    """Make the key known to each service that its scopes concern; the second call is harmless."""
    _, key_id, secret = key.split("_", 2)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    async with installation.as_operator() as api:
        for service in SERVICES:
            own = [scope for scope in scopes if scope.startswith(f"{service}:")]
            if own:
                body = {
                    "tenant_id": tenant_id,
                    "key_id": key_id,
                    "secret_sha256": digest,
                    "scopes": own,
                    "name": name,
                }
                await api.post(service, "/v1/keys", body)


def _read_secret(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return None
