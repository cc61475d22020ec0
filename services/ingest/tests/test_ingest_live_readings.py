"""What waits for a listener: in order, bounded, the newest version of each channel-day."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.ingest.domain.live_readings import (
    QUEUED_MAX,
    Backlog,
    Gap,
    LiveEvent,
    Wanted,
    first_changed_slot,
    packed_slots,
    read_id,
    written_id,
)

LETTERS = {"usage": "", "registers": "r"}
METER = UUID(int=7)


def event(subject, version=1, *, slot=None, id_="", tenant="acme", meter_id=METER, flow="import"):
    return LiveEvent("reading", tenant, meter_id, flow, subject, version, slot, b'"a":1}', id_)


def taken(backlog):
    return [backlog.take() for _ in range(len(backlog))]


def test_a_newer_version_goes_to_the_end_in_place_of_the_older():
    backlog = Backlog()
    for number, (subject, version) in enumerate([("a", 1), ("b", 1), ("a", 2), ("b", 1)]):
        backlog.add(event(subject, version, id_=str(number)))
    assert [(sent.subject, sent.version, sent.id) for sent in taken(backlog)] == [
        ("b", 1, "1"),
        ("a", 2, "2"),
    ]
    assert backlog.take() is None


def test_what_is_too_much_drops_the_oldest_and_says_so_first():
    backlog = Backlog()
    for number in range(QUEUED_MAX + 3):
        backlog.add(event(number, id_=str(number)))
    assert len(backlog) == QUEUED_MAX + 1
    gap, *rest = taken(backlog)
    assert gap == Gap("slow_reader", "2")
    assert gap.json() == b'{"reason":"slow_reader"}'
    assert [sent.subject for sent in rest] == list(range(3, QUEUED_MAX + 3))


def test_what_was_missed_comes_before_what_waits():
    backlog = Backlog()
    backlog.add(event("a", 3, slot=5))
    backlog.put_before([event("b"), event("a", 2, slot=1)])
    assert [(sent.subject, sent.version) for sent in taken(backlog)] == [("b", 1), ("a", 3)]


def test_a_gap_covers_all_that_waited():
    backlog = Backlog()
    backlog.add(event("a"))
    backlog.lose("broker_away", "9")
    assert taken(backlog) == [Gap("broker_away", "9")]


@pytest.mark.parametrize(
    ("earlier", "later", "sent"), [(3, 7, 3), (7, 3, 3), (None, 3, None), (3, None, None)]
)
def test_the_first_changed_slot_is_that_of_all_versions_that_were_left_out(earlier, later, sent):
    backlog = Backlog()
    backlog.add(event("a", 1, slot=earlier))
    backlog.add(event("a", 2, slot=later))
    [only] = taken(backlog)
    assert only.first_changed_slot == sent
    assert only.json() == b'{"first_changed_slot":%b,"a":1}' % str(sent).encode().replace(
        b"None", b"null"
    )


@given(
    st.lists(
        st.one_of(
            st.none(), st.tuples(st.integers(0, 400), st.integers(1, 5), st.none() | st.just(1))
        ),
        max_size=2_000,
    )
)
def test_whatever_comes_is_sent_in_its_newest_version_or_covered_by_a_gap(steps):
    """A reader that takes now and then: `None` is one that it takes."""
    backlog, newest, received, has_gap = Backlog(), {}, {}, False

    def take():
        nonlocal has_gap
        sent = backlog.take()
        if isinstance(sent, Gap):
            has_gap = True
        elif sent is not None:
            received[sent.subject] = max(received.get(sent.subject, 0), sent.version)

    for step in steps:
        if step is None:
            take()
            continue
        subject, version, slot = step
        backlog.add(event(subject, version, slot=slot))
        newest[subject] = max(newest.get(subject, 0), version)
        assert len(backlog) <= QUEUED_MAX + 1
    for _ in range(len(backlog)):
        take()
    assert has_gap or received == newest


@pytest.mark.parametrize(
    ("wanted", "has"),
    [
        (Wanted("acme"), True),
        (Wanted("other"), False),
        (Wanted("acme", frozenset([METER])), True),
        (Wanted("other", frozenset([METER])), False),
        (Wanted("acme", frozenset()), False),
        (Wanted("acme", None, "export"), False),
        (Wanted("acme", frozenset([METER]), "import"), True),
    ],
)
def test_who_wants_an_event(wanted, has):
    assert wanted.has(event("a")) is has


@pytest.mark.parametrize(
    ("before", "after", "slot"),
    [
        (([1, 2], "AA"), ([1, 2], "AA"), None),
        (([1, 2], "AA"), ([1, 3], "AA"), 1),
        (([1, 2], "AA"), ([1, 2], "EA"), 0),
        (([0, None], "A-"), ([0, 0], "AA"), 1),
        (([1, 2**31], "AA"), ([1, 2**31], "AE"), 1),
        (([], ""), ([1], "A"), 0),
        (([1, 2], "AA"), ([1], "A"), 1),
    ],
)
def test_the_first_slot_that_differs(before, after, slot):
    assert first_changed_slot(packed_slots(*before), packed_slots(*after)) == slot


positions = st.dictionaries(
    st.tuples(st.sampled_from(list(LETTERS)), st.integers(0, 99)),
    st.integers(0, 2**63 - 1),
    min_size=1,
    max_size=32,
)


@given(positions)
def test_an_id_says_the_positions(positions):
    assert read_id(written_id(positions, LETTERS), LETTERS) == positions


@pytest.mark.parametrize(
    "text", ["", "none", "0", "0:", "0:-1", "0:1,", "0:1,0:2", "x0:1", f"0:{2**63}", "0:1" * 999]
)
def test_what_is_no_id_of_ours(text):
    assert read_id(text, LETTERS) is None
