"""Pages and entity tags."""

import base64
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from kernel.errors import Rejected
from serving.paging import PageRequest

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
