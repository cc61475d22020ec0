"""Who calls: a principal by API key, and the scope that a handler asks for.

    async def list_invoices(db: Db, caller: Annotated[Principal, Depends(require("billing:read"))])

A handler opens its transaction for `caller.tenant_id`, so that row-level security holds. Refuses
to tell a caller whether it was the key's id or its secret that was wrong.
"""

import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import State

from serving.keys import Keyring, StoredKey, is_operator, unauthorized
from serving.pace import RateLimit
from serving.problems import Refusal

_TOKEN = re.compile(r"gt_([A-Za-z0-9]{8,12})_([A-Za-z0-9_-]{43,64})")
_bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", bearerFormat="gt_<key id>_<secret>")


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: its tenant, its key and what that key may do."""

    tenant_id: str
    key_id: str
    scopes: frozenset[str]


async def authenticate(
    request: Request, token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """The principal of a request; Refusal 401 without a valid key, 429 beyond its pace."""
    rate_limit: RateLimit = request.app.state.rate_limit
    key = await _key_in_force(request.app.state, token.credentials) if token is not None else None
    if key is None:
        raise unauthorized("a valid API key is needed")
    structlog.contextvars.bind_contextvars(tenant_id=key.tenant_id, key_id=key.key_id)
    wait_s = rate_limit.wait_s(key.key_id)
    if wait_s > 0:
        raise Refusal(
            429,
            "too_many_requests",
            "this key is beyond its pace",
            {"Retry-After": str(math.ceil(wait_s))},
        )
    return Principal(key.tenant_id, key.key_id, key.scopes)


async def is_known(state: State, authorization: str | None) -> bool:
    """Whether a request's `Authorization` shows a key in force or the operator's token."""
    scheme, credentials = get_authorization_scheme_param(authorization)
    if scheme.lower() != "bearer":
        return False
    return is_operator(state, credentials) or await _key_in_force(state, credentials) is not None


async def _key_in_force(state: State, credentials: str) -> StoredKey | None:
    keyring: Keyring = state.keyring
    parts = _TOKEN.fullmatch(credentials)
    key = await keyring.find(parts[1]) if parts is not None else None
    return key if parts is not None and key is not None and key.opens_with(parts[2]) else None


def require(scope: str) -> Callable[[Principal], Awaitable[Principal]]:
    """The dependency that lets only keys with `scope` through; Refusal 403 for others."""

    async def caller(principal: Annotated[Principal, Depends(authenticate)]) -> Principal:
        if scope not in principal.scopes:
            raise Refusal(403, "forbidden", f"this key lacks the scope {scope}")
        return principal

    return caller
