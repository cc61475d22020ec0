"""Pages and entity tags."""

import base64
import json
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from gridtally.http.paging import CURSOR_CHARS_MAX, PageRequest
from gridtally.kernel.errors import Rejected

ORDER = f"/v1/orders/{uuid4()}"


def pages(rows, limit):
    """All pages of `rows`, fetched as a handler would."""
    found, request = [], PageRequest(limit)
    while True:
        after = request.after(int)
        left = [row for row in rows if after is None or (row,) > after]
        page = request.cut(left[: request.rows], item=str, position=lambda row: (row,))
        found.append(page.items)
        if page.next_cursor is None:
            return found
        request = PageRequest(limit, page.next_cursor)


@pytest.mark.parametrize(
    ("rows", "limit", "expected"),
    [
        ([], 2, [[]]),
        ([1], 2, [["1"]]),
        ([1, 2], 2, [["1", "2"]]),
        ([1, 2, 3], 2, [["1", "2"], ["3"]]),
        ([1, 2, 3], 1, [["1"], ["2"], ["3"]]),
    ],
)
def test_pages_hold_every_row_once(rows, limit, expected):
    assert pages(rows, limit) == expected


def test_a_cursor_keeps_instants_days_and_ids():
    position = (datetime(2025, 3, 30, 1, 2, 3, 456, UTC), date(2025, 3, 30), UUID(int=7), "a,b")
    page = PageRequest(1).cut([1, 2], item=str, position=lambda _: position)
    kinds = (datetime.fromisoformat, date.fromisoformat, UUID, str)
    assert PageRequest(1, page.next_cursor).after(*kinds) == position


@pytest.mark.parametrize(
    "name", ["山田　太郎", "two\nlines", "no\u00a0break", "\u202e", "😀" * 500]
)
def test_a_list_goes_on_after_any_name_that_a_row_can_have(name):
    page = PageRequest(1).cut([1, 2], item=str, position=lambda _: (name, UUID(int=7)))
    assert len(page.next_cursor) <= CURSOR_CHARS_MAX
    assert PageRequest(1, page.next_cursor).after(str, UUID) == (name, UUID(int=7))


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (datetime.fromisoformat, "2025-03-30T01:02:03"),
        (datetime.fromisoformat, "0001-01-01T00:00:00+14:00"),
        (datetime.fromisoformat, "9999-12-31T23:59:59-14:00"),
        (date.fromisoformat, "0000-01-01"),
        (int, "9" * 30),
        (int, "-" + "9" * 30),
        (int, "9" * 5000),
    ],
)
def test_a_position_that_no_row_can_have_is_refused(kind, part):
    cursor = base64.urlsafe_b64encode(json.dumps([part]).encode()).decode()
    with pytest.raises(Rejected) as refused:
        PageRequest(50, cursor).after(kind)
    assert refused.value.code == "invalid_cursor"


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "%%%", *(base64.urlsafe_b64encode(raw).decode() for raw in (
        b"[]", b"[1]", b'["x"]', b'["1","2"]', b"{}", b"null", b'"1"', b"\xff", b"[" * 700,
        b'[{"a":1}]', b"[[1]]", b'["\\u0000"]', b'["\\ud800"]'
    ))],
)  # fmt: skip
def test_a_cursor_that_was_not_given_out_is_refused(cursor):
    with pytest.raises(Rejected) as refused:
        PageRequest(50, cursor).after(UUID)
    assert refused.value.code == "invalid_cursor"


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        (None, 428),
        ('"7"', 200),
        ("7", 200),
        ('"6", "7"', 200),
        ("*", 200),
        ('"6"', 412),
        ("", 412),
        ('W/"7"', 412),
        ('"seven"', 412),
        ('"٧"', 412),
        ('"' + "9" * 900 + '"', 412),
        ('"' + "9" * 2000 + '"', 422),
    ],
)
async def test_a_change_names_the_version_it_was_made_from(client, if_match, status):
    headers = {} if if_match is None else {"if-match": if_match.encode()}
    answer = await client.put(ORDER, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers.get("etag") == {200: '"8"', 412: '"7"'}.get(status)
