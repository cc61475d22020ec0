"""Stored resources in requests and answers, who changes them, and lists in an order."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Response
from pydantic import ValidationError

from gridtally.http.auth import Principal, authenticate
from gridtally.http.callers import reader, write_cause, writer
from gridtally.http.context import Now
from gridtally.http.paging import PageRequest
from gridtally.http.problems import HttpRefusal
from gridtally.http.resources import (
    Body,
    NotNull,
    StoredModel,
    answer,
    answer_created,
    fields,
    stamps,
)
from gridtally.http.sorting import SortedPage
from gridtally.kernel.errors import Rejected
from gridtally.kernel.resources import Cause, Stored

AT = datetime(2025, 10, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shelf:
    id: UUID
    name: str


class ShelfChange(Body):
    name: Annotated[str | None, NotNull] = None
    note: str | None = None


class ShelfModel(StoredModel):
    id: UUID
    name: str


def shelf(number, name="a", at=AT):
    return Stored(Shelf(UUID(int=number), name), 3, at, AT + timedelta(hours=1))


def to_api(stored):
    return ShelfModel(**fields(stored))


def test_a_change_has_what_the_request_names_nulls_too():
    assert ShelfChange.model_validate({"note": None}).changes() == {"note": None}
    assert ShelfChange().changes() == {}


@pytest.mark.parametrize("body", [{"name": None}, {"colour": "red"}])
def test_a_body_refuses_unknown_fields_and_null_where_there_is_always_a_value(body):
    with pytest.raises(ValidationError):
        ShelfChange.model_validate(body)


def test_a_resource_is_answered_with_its_stamps_and_its_version_as_the_etag():
    response = Response()
    shown = answer(response, shelf(7), to_api)
    assert response.headers["etag"] == '"3"'
    assert shown.model_dump() == {"id": UUID(int=7), "name": "a"} | stamps(shelf(7))
    assert (shown.version, shown.updated_at) == (3, AT + timedelta(hours=1))


@pytest.mark.parametrize(("created", "status"), [(True, 201), (False, 200)])
def test_a_post_answers_whether_the_resource_is_new(created, status):
    response = Response()
    answer_created(response, shelf(7), to_api, created=created, location="/shelves/7")
    assert (response.status_code, response.headers["etag"]) == (status, '"3"')
    assert response.headers.get("location") == ("/shelves/7" if created else None)


NAMES = ["a", "山田　太郎", "two\nlines", "😀" * 500, "a"]
SHELVES = [shelf(n, name, AT + timedelta(hours=-n)) for n, name in enumerate(NAMES)]


@pytest.mark.parametrize("sort", ["name", "-name", "created_at", "-created_at"])
def test_a_list_in_any_order_has_every_resource_once(sort):
    column = sort.removeprefix("-")

    def rank(stored):
        holder = stored if column == "created_at" else stored.resource
        return getattr(holder, column), stored.resource.id

    ordered = sorted(SHELVES, key=rank, reverse=sort.startswith("-"))
    listed, cursor = [], None
    while True:
        page = SortedPage(PageRequest(2, cursor), sort)
        position = page.position()
        assert (position.column, position.descending) == (column, sort.startswith("-"))
        left = [
            stored
            for stored in ordered
            if position.after is None
            or (
                rank(stored) < position.after
                if position.descending
                else rank(stored) > position.after
            )
        ]
        cut = page.cut(left[: position.rows_max], lambda stored: stored.resource.id)
        listed += cut.items
        cursor = cut.next_cursor
        if cursor is None:
            break
    assert listed == [stored.resource.id for stored in ordered]


@pytest.mark.parametrize("sort", ["-name", "created_at"])
def test_a_cursor_is_refused_in_another_order(sort):
    cut = SortedPage(PageRequest(1), "name").cut(SHELVES[:2], to_api)
    with pytest.raises(Rejected, match="cursor cannot be used here"):
        SortedPage(PageRequest(1, cut.next_cursor), sort).position()


@pytest.fixture
def scopes():
    return {"shop:read", "shop:write"}


@pytest.fixture
async def callers(scopes):
    app = FastAPI()
    app.state.clock = lambda: AT
    app.dependency_overrides[authenticate] = lambda: Principal("acme", "key1", frozenset(scopes))

    @app.get("/read")
    async def read(caller: Annotated[Principal, reader("shop")], now: Now) -> tuple[str, datetime]:
        return caller.tenant_id, now

    @app.post("/write")
    async def write(cause: Annotated[Cause, write_cause("shop")]) -> Cause:
        return cause

    @app.put("/write")
    async def replace(caller: Annotated[Principal, writer("shop")]) -> str:
        return caller.key_id

    @app.middleware("http")
    async def correlated(request, call_next):
        request.state.correlation_id = "c-1"
        return await call_next(request)

    @app.exception_handler(HttpRefusal)
    async def refused(_request, refusal):
        return Response(status_code=refusal.status_code)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


async def test_callers_have_the_scopes_of_the_service(callers):
    assert (await callers.get("/read")).json() == ["acme", "2025-10-01T00:00:00Z"]
    assert (await callers.put("/write")).json() == "key1"
    assert (await callers.post("/write")).json() == {
        "tenant_id": "acme", "key_id": "key1", "correlation_id": "c-1",
    }  # fmt: skip


@pytest.mark.parametrize("scopes", [{"shop:read"}, {"depot:write"}])
async def test_a_caller_without_the_scope_changes_nothing(callers):
    assert (await callers.put("/write")).status_code == 403
    assert (await callers.post("/write")).status_code == 403
