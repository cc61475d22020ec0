"""API keys as the command makes them: the secret is shown once, the services learn its SHA-256."""

import hashlib
import secrets
import string
from collections.abc import Sequence
from uuid import UUID

from gridtally.cli.installation import SERVICES, Installation

KEY_ID_CHARS = 10


def new_key() -> str:
    """A fresh API key, `gt_<id>_<secret>`."""
    alphabet = string.ascii_letters + string.digits
    key_id = "".join(secrets.choice(alphabet) for _ in range(KEY_ID_CHARS))
    return f"gt_{key_id}_{secrets.token_urlsafe(32)}"


async def register_key(
    installation: Installation,
    key: str,
    *,
    tenant_id: str,
    name: str,
    scopes: Sequence[str],
    customer_id: UUID | None = None,
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
                    "customer_id": None if customer_id is None else str(customer_id),
                }
                await api.post(service, "/v1/keys", body)
