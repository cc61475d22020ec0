"""`/v1/users`: the people of a property."""

from typing import Any, Literal
from uuid import UUID

from fastapi import Response

from gridtally.database import Database, snapshot, transaction
from gridtally.http.context import Db
from gridtally.http.etags import IfMatch, OptionalMatch, RequiredMatch, etag
from gridtally.http.idempotency import Idempotent, erase_answers
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import answer, location_of
from gridtally.http.sorting import SortedPage
from gridtally.kernel.resources import Cause
from gridtally.ledger.callers import Reader, WriteCause, named_filters
from gridtally.ledger.registry.handlers import users
from gridtally.ledger.registry.schemas.users import (
    DefaultMeter,
    Email,
    NewUser,
    User,
    UserChange,
    UserReplacement,
)
from gridtally.ledger.registry.store import users as store

router = Router(prefix="/v1/users", tags=["users"])


@router.post("", status_code=201, response_model=User)
async def create_user(new: NewUser, db: Db, cause: WriteCause, request: Idempotent) -> Response:
    """Create a user; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        user, created = await users.create_user(tx, cause, new.to_domain())
        location = location_of(f"/v1/users/{user.resource.id}", created=created)
        headers = {"ETag": etag(user.version)} | location
        return await request.store_answer(tx, 201 if created else 200, User.of(user), headers)


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
    filters = named_filters(email=email, property_id=property_id, name=name)
    page = SortedPage(paging, sort)
    position = page.position()
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_users(read, caller.tenant_id, filters, position)
    return page.cut(rows, User.of)


@router.get("/{user_id}")
async def get_user(user_id: UUID, db: Db, caller: Reader, response: Response) -> User:
    """One user."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        user = await store.fetch_user(read, caller.tenant_id, user_id)
    if user is None:
        raise users.unknown_user()
    return answer(response, user, User.of)


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
    return await _change(db, cause, user_id, change.changes(), if_match, response)


@router.put("/{user_id}")
async def replace_user(
    user_id: UUID,
    replacement: UserReplacement,
    db: Db,
    cause: WriteCause,
    if_match: RequiredMatch,
    response: Response,
) -> User:
    """Replace everything about a user that can change."""
    return await _change(db, cause, user_id, dict(replacement), if_match, response)


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
        current = await users.lock_user(tx, cause.tenant_id, user_id)
        if_match.check(current.version)
        changed = await users.change_user(tx, cause, current, changes)
    return answer(response, changed, User.of)


@router.delete("/{user_id}", status_code=204)
async def delete_user(user_id: UUID, db: Db, cause: WriteCause, if_match: OptionalMatch) -> None:
    """Remove a user, and what is stored of answers that name them."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await users.lock_user(tx, cause.tenant_id, user_id)
        if_match.check(current.version)
        await users.remove_user(tx, cause, user_id)
        await erase_answers(tx, cause.tenant_id, user_id)
