"""`/v1/users`: the people of a property."""

from uuid import UUID

from fastapi import APIRouter, Response

from database import snapshot, transaction
from ledger.api.models import (
    Email,
    NewUser,
    Reader,
    User,
    UserChange,
    WriteCause,
    given,
    instant,
    position,
    shown_user,
)
from ledger.handlers import registry
from ledger.store import users
from serving.context import Db
from serving.etags import OptionalMatch, RequiredMatch, tag
from serving.paging import Page, Paging

router = APIRouter(prefix="/v1/users", tags=["users"])


@router.post("", status_code=201)
async def create_user(new: NewUser, db: Db, cause: WriteCause, response: Response) -> User:
    """Create a user; the same again answers 200 with what exists."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        one, created = await registry.create_user(tx, cause, new.to_domain())
    response.status_code = 201 if created else 200
    tag(response, one.version)
    return shown_user(one)


@router.get("")
async def list_users(
    db: Db,
    caller: Reader,
    paging: Paging,
    email: Email | None = None,
    property_id: UUID | None = None,
) -> Page[User]:
    """Users, oldest first."""
    filters = given(email=email, property_id=property_id)
    after = paging.after(instant, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await users.list_users(read, caller.tenant_id, filters, after, paging.rows)
    return paging.cut(rows, item=shown_user, position=position)


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
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await users.fetch_user(tx, cause.tenant_id, user_id, lock=True)
        if current is None:
            raise registry.unknown_user()
        if_match.check(current.version)
        changes = {name: getattr(change, name) for name in change.model_fields_set}
        changed = await registry.change_user(tx, cause, current, changes)
    tag(response, changed.version)
    return shown_user(changed)


@router.delete("/{user_id}", status_code=204)
async def delete_user(user_id: UUID, db: Db, cause: WriteCause, if_match: OptionalMatch) -> None:
    """Remove a user."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await users.fetch_user(tx, cause.tenant_id, user_id, lock=True)
        if current is None:
            raise registry.unknown_user()
        if_match.check(current.version)
        await users.delete_user(tx, cause.tenant_id, user_id)
