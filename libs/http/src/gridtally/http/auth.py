"""Who calls: a principal by API key, and the scope that a handler requires.

    async def list_invoices(db: Db, caller: Annotated[Principal, Depends(require("billing:read"))])

A handler opens its transaction for `caller.tenant_id`, so that row-level security holds. Refuses
to show a caller whether it was the key's id or its secret that was wrong.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import State
from starlette.requests import HTTPConnection
from starlette.types import Scope

from gridtally.contracts.envelope import TENANT_PATTERN
from gridtally.contracts.topics import SERVICES
from gridtally.database import ALL_TENANTS, bind_customer
from gridtally.http.charges import charge
from gridtally.http.dependants import calls_of
from gridtally.http.keys import (
    Keyring,
    StoredKey,
    check_operator,
    is_operator,
    is_service,
    operator_refusal,
    unauthorized,
)
from gridtally.http.problems import HttpRefusal
from gridtally.kernel.errors import Fault, Rejected

OPERATOR = "operator"
KEY_SHOWN = "key_shown"
"""What the server puts into a request's state: a function that hears that a key was shown."""
TENANT_HEADER = "Gridtally-Tenant"
"""What names the tenant that one of our own services reads for."""
CUSTOMER_HEADER = "Gridtally-Customer"
"""What binds a request to one customer of the key's tenant."""
SERVICE = "service"
_READ_SCOPES = frozenset(f"{service}:read" for service in SERVICES)
KEY_NEEDED = "a valid API key is needed"
_TOKEN = re.compile(r"gt_([A-Za-z0-9]{8,12})_([A-Za-z0-9_-]{43,64})")
_open_to_customers: set[object] = set()
"""The dependencies that let in callers who are bound to a customer."""
_CUSTOMER_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", bearerFormat="gt_<key id>_<secret>")


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: its tenant, its key and what that key may do; and the customer whose rows alone
    it sees, where it is bound to one."""

    tenant_id: str
    key_id: str
    scopes: frozenset[str]
    customer_id: UUID | None = None


async def authenticate(
    request: Request, token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """The principal of a request; HttpRefusal 401 without a valid key, 429 where it or its tenant
    has spent what it may."""
    return await _principal(request, None if token is None else token.credentials)


async def let_in(connection: HTTPConnection, authorization: str | None, scope: str) -> Principal:
    """The principal of a WebSocket, by what `Authorization` says or would say; HttpRefusal as by
    `authenticate` and `require`."""
    scheme, credentials = get_authorization_scheme_param(authorization)
    shown = credentials if scheme.lower() == "bearer" else None
    return _let_through(await _principal(connection, shown), scope)


async def _principal(connection: HTTPConnection, credentials: str | None) -> Principal:
    key = None
    if credentials is not None:
        key = _service_key(connection, credentials)
        key = key or await _key_in_force(connection.app.state, credentials)
    if key is None:
        raise unauthorized(KEY_NEEDED)
    tell_key_shown(connection.scope)
    structlog.contextvars.bind_contextvars(tenant_id=key.tenant_id, key_id=key.key_id)
    charge(connection, key.tenant_id, key.key_id)
    customer_id = _customer_of(connection, key)
    if customer_id is not None:
        structlog.contextvars.bind_contextvars(customer_id=str(customer_id))
        bind_customer(customer_id)
    return Principal(key.tenant_id, key.key_id, key.scopes, customer_id)


def _customer_of(connection: HTTPConnection, key: StoredKey) -> UUID | None:
    """The customer to whom a request is bound, by its key or its header; Rejected where the header
    names none, HttpRefusal 403 where it names another than the key's."""
    named = connection.headers.getlist(CUSTOMER_HEADER)
    if not named:
        return key.customer_id
    if len(named) > 1 or not _CUSTOMER_ID.fullmatch(named[0]):
        fault = Fault(f"/header/{CUSTOMER_HEADER}", "must be the id (UUID) of one customer")
        raise Rejected("invalid_request", "no customer is named as it must be", (fault,))
    customer_id = UUID(named[0])
    if key.customer_id not in (None, customer_id):
        raise HttpRefusal(403, "customer_bound", "this key is bound to another customer")
    return customer_id


async def authenticate_operator_too(
    request: Request, token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """As `authenticate`; the operator's token is a principal of all tenants."""
    if token is not None and is_operator(request.app.state, token.credentials):
        tell_key_shown(request.scope)
        return Principal(ALL_TENANTS, OPERATOR, frozenset())
    return await authenticate(request, token)


async def caller_of(state: State, authorization: str | None) -> str | None:
    """The id of the key in force that a request's `Authorization` shows, or `operator` where it is
    the operator's token; None for neither."""
    scheme, credentials = get_authorization_scheme_param(authorization)
    if scheme.lower() != "bearer":
        return None
    if is_operator(state, credentials):
        return OPERATOR
    if is_service(state, credentials):
        return SERVICE
    key = await _key_in_force(state, credentials)
    return None if key is None else key.key_id


async def is_still_let_in(state: State, caller: Principal, scope: str) -> bool:
    """Whether a caller's key is in force and has the scope, for requests that go on for long."""
    if caller.key_id == SERVICE:
        return True
    keyring: Keyring = state.keyring
    key = await keyring.find(caller.key_id)
    return key is not None and key.tenant_id == caller.tenant_id and scope in key.scopes


def tell_key_shown(scope: Scope) -> None:
    """Tell the server, where it wants to know, that this connection is of somebody we know."""
    tell: Callable[[], None] | None = scope.get("state", {}).get(KEY_SHOWN)
    if tell is not None:
        tell()


def refusal_without_key(route: object, state: State) -> HttpRefusal | None:
    """How a route answers a request without a valid key or token; None where it needs neither."""
    needed = calls_of(route)
    if authenticate in needed or authenticate_operator_too in needed:
        return unauthorized(KEY_NEEDED)
    return operator_refusal(state, None) if check_operator in needed else None


def _service_key(connection: HTTPConnection, credentials: str) -> StoredKey | None:
    """What one of our own services may do: read, for the tenant that it names."""
    tenant_id = connection.headers.get(TENANT_HEADER, "")
    if not re.fullmatch(TENANT_PATTERN, tenant_id) or not is_service(
        connection.app.state, credentials
    ):
        return None
    return StoredKey(tenant_id, SERVICE, "", _READ_SCOPES)


async def _key_in_force(state: State, credentials: str) -> StoredKey | None:
    keyring: Keyring = state.keyring
    parts = _TOKEN.fullmatch(credentials)
    key = await keyring.find(parts[1]) if parts is not None else None
    return key if parts is not None and key is not None and key.opens_with(parts[2]) else None


def require(
    scope: str, *, open_to_customers: bool = False
) -> Callable[[Principal], Awaitable[Principal]]:
    """The dependency that lets only keys with `scope` through; HttpRefusal 403 for others.

    A caller who is bound to a customer is let through only where the route says that it is open to
    customers: there row-level security shows that customer's rows alone.
    """

    async def caller(principal: Annotated[Principal, Depends(authenticate)]) -> Principal:
        return _let_through(principal, scope, open_to_customers=open_to_customers)

    if open_to_customers:
        _open_to_customers.add(caller)
    return caller


async def any_key(principal: Annotated[Principal, Depends(authenticate)]) -> Principal:
    """The dependency that lets through every key in force, whatever its scopes, bound or not."""
    return principal


_open_to_customers.add(any_key)


def is_open_to_customers(route: object) -> bool:
    """Whether a route lets in callers who are bound to a customer."""
    return not _open_to_customers.isdisjoint(calls_of(route))


def require_or_operator(scope: str) -> Callable[[Principal], Awaitable[Principal]]:
    """The same, which lets the operator through too, for rows of all tenants and of none; never
    open to customers."""

    async def caller(
        principal: Annotated[Principal, Depends(authenticate_operator_too)],
    ) -> Principal:
        return principal if principal.key_id == OPERATOR else _let_through(principal, scope)

    return caller


def _let_through(principal: Principal, scope: str, *, open_to_customers: bool = False) -> Principal:
    if principal.customer_id is not None and not open_to_customers:
        detail = "this operation is not open to callers who are bound to a customer"
        raise HttpRefusal(403, "customer_bound", detail)
    if scope not in principal.scopes:
        raise HttpRefusal(403, "forbidden", f"this key lacks the scope {scope}")
    return principal
