"""A body that goes on is cut into lines, wherever its pieces end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.http.ndjson import BATCH_LINES_MAX, LINE_BYTES_MAX, Line, line_batches


async def batches_of(*pieces):
    async def body():
        for piece in pieces:
            yield piece

    return [batch async for batch in line_batches(body())]


async def lines_of(*pieces):
    return [tuple(line) for batch in await batches_of(*pieces) for line in batch]


@given(
    st.lists(st.binary(max_size=5).map(lambda text: text.replace(b"\n", b"")), max_size=8),
    st.integers(1, 7),
)
async def test_lines_do_not_depend_on_where_pieces_end(lines, size):
    body = b"\n".join(lines)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    expected = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    assert await lines_of(*pieces) == expected


LONG = b"x" * LINE_BYTES_MAX


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([], []),
        ([b"\n\n"], []),
        ([b"\n\n \n  a\n", b" ", b"\n\nb"], [(4, b"  a"), (7, b"b")]),
        ([b"a\r\nb\r\n"], [(1, b"a\r"), (2, b"b\r")]),
        ([LONG, b"\na"], [(1, LONG), (2, b"a")]),
        ([LONG, b"y\na"], [(1, None), (2, b"a")]),  # one byte too long
        ([LONG, b"y", LONG, b"y", b"\na\n"], [(1, None), (2, b"a")]),
        ([LONG + b"y\na\n"], [(1, None), (2, b"a")]),
        ([b"a\n", LONG, b"y"], [(1, b"a"), (2, None)]),
    ],
)
async def test_a_line_that_is_too_long_is_passed_over_alone(pieces, lines):
    assert await lines_of(*pieces) == lines


async def test_a_batch_is_what_came_in_up_to_its_bound():
    assert await batches_of(b"a\nb", b"\nc") == [
        [Line(1, b"a")],
        [Line(2, b"b")],
        [Line(3, b"c")],
    ]
    sizes = [len(batch) for batch in await batches_of(b"7\n" * (2 * BATCH_LINES_MAX + 5))]
    assert sizes == [BATCH_LINES_MAX, BATCH_LINES_MAX, 5]
