"""`/v1/users`: the people of a property."""

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response

from database import Database, snapshot, transaction
from ledger.api.models import (
    DefaultMeter,
    Email,
    NewUser,
    Reader,
    User,
    UserChange,
    WholeUser,
    WriteCause,
    given,
    shown_user,
)
from ledger.api.sorting import Sorting
from ledger.handlers import registry
from ledger.store import users
from ledger.wire import Cause
from serving.context import Db
from serving.etags import IfMatch, OptionalMatch, RequiredMatch, etag, tag
from serving.idempotency import Idempotent
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1/users", tags=["users"])


@router.post("", status_code=201, response_model=User)
async def create_user(new: NewUser, db: Db, cause: WriteCause, once: Idempotent) -> Response:
    """Create a user; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (told := await once.recall(tx)) is not None:
            return told
        one, created = await registry.create_user(tx, cause, new.to_domain())
        headers = {"ETag": etag(one.version)}
        return await once.keep(tx, 201 if created else 200, shown_user(one), headers)


@router.get("")
async def list_users(
    db: Db,
    caller: Reader,
    paging: Paging,
    email: Email | None = None,
    property_id: UUID | None = None,
    name: str | None = None,
    sort: Literal["created_at", "-created_at", "name", "-name", "email", "-email"] = "created_at",
) -> Page[User]:
    """Users, oldest first unless sorted otherwise."""
    filters = given(email=email, property_id=property_id, name=name)
    sorting = Sorting(sort)
    order = sorting.order(paging)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await users.list_users(read, caller.tenant_id, filters, order, paging.rows)
    return paging.cut(rows, item=shown_user, position=sorting.position())


@router.get("/{user_id}")
async def get_user(user_id: UUID, db: Db, caller: Reader, response: Response) -> User:
    """One user."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        found = await users.fetch_user(read, caller.tenant_id, user_id)
    if found is None:
        raise registry.unknown_user()
    tag(response, found.version)
    return shown_user(found)


@router.patch("/{user_id}")
async def change_user(
    user_id: UUID,
    change: UserChange,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> User:
    """Change what is named; whoever moves to another property names a default meter there."""
    changes = {name: getattr(change, name) for name in change.model_fields_set}
    return await _change(db, cause, user_id, changes, if_match, response)


@router.put("/{user_id}")
async def replace_user(
    user_id: UUID,
    whole: WholeUser,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> User:
    """Change all that can be said of a user."""
    return await _change(db, cause, user_id, dict(whole), if_match, response)


@router.put("/{user_id}/default-meter")
async def set_default_meter(
    user_id: UUID,
    wanted: DefaultMeter,
    db: Db,
    cause: WriteCause,
    if_match: OptionalMatch,
    response: Response,
) -> User:
    """Choose a meter of the user's own property, or none; 422 for any other meter."""
    changes = {"default_meter_id": wanted.meter_id}
    return await _change(db, cause, user_id, changes, if_match, response)


async def _change(
    db: Database,
    cause: Cause,
    user_id: UUID,
    changes: dict[str, Any],
    if_match: IfMatch,
    response: Response,
) -> User:
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await registry.lock_user(tx, cause.tenant_id, user_id)
        if_match.check(current.version)
        changed = await registry.change_user(tx, cause, current, changes)
    tag(response, changed.version)
    return shown_user(changed)


@router.delete("/{user_id}", status_code=204)
async def delete_user(user_id: UUID, db: Db, cause: WriteCause, if_match: OptionalMatch) -> None:
    """Remove a user."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await registry.lock_user(tx, cause.tenant_id, user_id)
        if_match.check(current.version)
        await users.delete_user(tx, cause.tenant_id, user_id)
