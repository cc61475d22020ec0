"""API keys: which tenant a caller speaks for and what it may do there.

Owns the table and `/v1/keys`. The secret of a key never comes here: an operator's tool makes it,
stores it, and registers its SHA-256, which is enough to recognise 256 random bits. The table has
no row-level security, because a key is looked up before its tenant is known; nothing else reads it.
"""

import asyncio
import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
import structlog
from fastapi import Depends, Path, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.engine import RowMapping
from starlette.datastructures import State

from gridtally.contracts.envelope import TENANT_PATTERN
from gridtally.contracts.model import Text
from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.problems import HttpRefusal
from gridtally.kernel.errors import Conflict, NotFound

CACHED_MAX = 10_000
"""Of keys, and of ids that no key has."""
LOOK_UPS_MAX = 2
"""At once, so that guessed ids keep strangers waiting and leave callers the other connections."""
KEY_ID_PATTERN = r"^[A-Za-z0-9]{8,12}$"
SCOPE_PATTERN = r"^[a-z]+:(read|write)$"

log = structlog.get_logger(__name__)

METADATA = sa.MetaData()
api_key = sa.Table(
    "api_key",
    METADATA,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("secret_sha256", sa.Text, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column(
        "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
    ),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
    sa.Column("customer_id", sa.Uuid),
    sa.CheckConstraint("secret_sha256 ~ '^[0-9a-f]{64}$'", name="api_key_secret_is_hashed"),
)
_PUBLIC = [column for column in api_key.c if column.name != "secret_sha256"]


ADD_CUSTOMER = "ALTER TABLE api_key ADD COLUMN IF NOT EXISTS customer_id uuid"
"""For a service's migration: the table of a new installation has the column from its first one."""


def create(bind: sa.Connection) -> None:
    """Create the table, from a service's first migration."""
    METADATA.create_all(bind, checkfirst=False)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key that is in force."""

    tenant_id: str
    key_id: str
    secret_sha256: str
    scopes: frozenset[str]
    customer_id: UUID | None = None

    def opens_with(self, secret: str) -> bool:
        """Whether `secret` is the key's, in constant time."""
        return hmac.compare_digest(sha256_hex(secret), self.secret_sha256)


def sha256_hex(secret: str) -> str:
    """The digest that is stored in place of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


_Remembered = OrderedDict[str, tuple[float, StoredKey | None]]
"""By key id: until when it is remembered, and the key, None where there is none."""


class Keyring:
    """Keys by id, each read from the database at most once per `ttl_s`."""

    def __init__(
        self, database: Database, *, ttl_s: float, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._ttl_s = ttl_s
        self._clock_s = clock_s
        self._look_ups = asyncio.Semaphore(LOOK_UPS_MAX)
        # Apart, so that no number of guessed ids drives out the keys of callers.
        self._keys: _Remembered = OrderedDict()
        self._unknown: _Remembered = OrderedDict()

    async def find(self, key_id: str) -> StoredKey | None:
        """The key in force of that id."""
        remembered = self._recall(key_id)
        if remembered is not None:
            return remembered[1]
        async with self._look_ups:
            remembered = self._recall(key_id)  # by whoever waited before
            if remembered is not None:
                return remembered[1]
            key = await self._fetch(key_id)
            self.forget(key_id)
            among = self._unknown if key is None else self._keys
            among[key_id] = (self._clock_s() + self._ttl_s, key)
            if len(among) > CACHED_MAX:
                among.popitem(last=False)
            return key

    def forget(self, key_id: str) -> None:
        """Read the key from the database the next time."""
        self._keys.pop(key_id, None)
        self._unknown.pop(key_id, None)

    def _recall(self, key_id: str) -> tuple[float, StoredKey | None] | None:
        remembered = self._keys.get(key_id) or self._unknown.get(key_id)
        is_fresh = remembered is not None and self._clock_s() < remembered[0]
        return remembered if is_fresh else None

    async def _fetch(self, key_id: str) -> StoredKey | None:
        async with snapshot(self._database, tenant=ALL_TENANTS) as read:
            row = await read.one_or_none(
                sa.select(api_key).where(api_key.c.key_id == key_id, api_key.c.revoked_at.is_(None))
            )
        if row is None:
            return None
        return StoredKey(
            row["tenant_id"],
            row["key_id"],
            row["secret_sha256"],
            frozenset(row["scopes"]),
            row["customer_id"],
        )


_Bound = Annotated[
    UUID | None, Field(description="The customer whose rows alone the key sees; null for all rows")
]


class NewKey(BaseModel):
    """A key to register."""

    model_config = ConfigDict(extra="forbid")

    tenant_id: str = Field(pattern=TENANT_PATTERN)
    key_id: str = Field(pattern=KEY_ID_PATTERN)
    secret_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    scopes: list[Annotated[str, Field(pattern=SCOPE_PATTERN)]] = Field(min_length=1, max_length=20)
    name: Text
    customer_id: _Bound = None


class Key(BaseModel):
    """A key as answers have it: without its hash."""

    tenant_id: str
    key_id: str
    scopes: list[str]
    name: str
    customer_id: _Bound
    created_at: datetime
    revoked_at: datetime | None


def unauthorized(detail: str) -> HttpRefusal:
    """The answer to a caller who has not shown what is needed."""
    return HttpRefusal(401, "unauthorized", detail, {"WWW-Authenticate": "Bearer"})


_bearer = HTTPBearer(auto_error=False, scheme_name="OperatorToken")


def is_operator(state: State, token: str) -> bool:
    """Whether `token` is the operator's, in constant time."""
    expected: str | None = state.operator_token_sha256
    return expected is not None and hmac.compare_digest(sha256_hex(token), expected)


def is_service(state: State, token: str) -> bool:
    """Whether `token` is the one that our own services show one another, in constant time."""
    expected: str | None = state.service_token_sha256
    return expected is not None and hmac.compare_digest(sha256_hex(token), expected)


def operator_refusal(state: State, token: str | None) -> HttpRefusal | None:
    """The answer to whoever does not show the operator's token; None to whoever does."""
    if state.operator_token_sha256 is None:
        return HttpRefusal(
            403, "operator_token_unset", "this service runs without OPERATOR_TOKEN_SHA256"
        )
    is_shown = token is not None and is_operator(state, token)
    return None if is_shown else unauthorized("the operator's token is needed")


async def check_operator(
    request: Request, token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """The dependency that lets only the operator through; HttpRefusal 401 or 403 for others."""
    refusal = operator_refusal(request.app.state, token.credentials if token else None)
    if refusal is not None:
        raise refusal


router = Router(prefix="/v1/keys", tags=["keys"], dependencies=[Depends(check_operator)])


@router.post("", status_code=201)
async def register_key(new: NewKey, db: Db, request: Request, response: Response) -> Key:
    """Register a key; the same again answers 200, anything else under its id 409."""
    values = new.model_dump() | {"scopes": sorted(set(new.scopes))}
    async with transaction(db, tenant=ALL_TENANTS) as tx:
        created = await tx.execute(insert(api_key).values(values).on_conflict_do_nothing())
        row = await tx.one_or_none(sa.select(api_key).where(api_key.c.key_id == new.key_id))
    if row is None or any(row[name] != value for name, value in values.items()):
        raise Conflict("key_exists", "another key has this id")
    request.app.state.keyring.forget(new.key_id)
    log.info("key registered", key_id=new.key_id, tenant_id=new.tenant_id, new=bool(created))
    response.status_code = 201 if created else 200
    return _to_api(row)


@router.get("")
async def list_keys(
    db: Db, paging: Paging, tenant_id: Annotated[str | None, Query(pattern=TENANT_PATTERN)] = None
) -> Page[Key]:
    """List keys by their id, those that were revoked too."""
    statement = sa.select(*_PUBLIC).order_by(api_key.c.key_id).limit(paging.rows)
    if tenant_id is not None:
        statement = statement.where(api_key.c.tenant_id == tenant_id)
    after = paging.after(str)
    if after is not None:
        statement = statement.where(api_key.c.key_id > after[0])
    async with snapshot(db, tenant=ALL_TENANTS) as read:
        rows = await read.all(statement)
    return paging.cut(rows, item=_to_api, position=lambda row: (row["key_id"],))


@router.delete("/{key_id}", status_code=204)
async def revoke_key(
    key_id: Annotated[str, Path(pattern=KEY_ID_PATTERN)], db: Db, request: Request
) -> None:
    """Revoke a key for good; other processes notice within `KEY_CACHE_TTL_S`."""
    async with transaction(db, tenant=ALL_TENANTS) as tx:
        revoked = await tx.execute(
            api_key.update()
            .where(api_key.c.key_id == key_id)
            .values(revoked_at=sa.func.coalesce(api_key.c.revoked_at, sa.func.now()))
        )
    if not revoked:
        raise NotFound("key_unknown", "no key has this id")
    request.app.state.keyring.forget(key_id)
    log.info("key revoked", key_id=key_id)


def _to_api(row: RowMapping) -> Key:
    return Key.model_validate({name: row[name] for name in Key.model_fields})
