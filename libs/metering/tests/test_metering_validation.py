"""Rules for days: one day on each side of each limit, against eight usual weeks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.metering.validation.batch import MISSING, ChannelDays
from gridtally.metering.validation.history import (
    empty_histories,
    read_histories,
    write_histories,
)
from gridtally.metering.validation.judge import Limits, judge
from gridtally.metering.validation.rules import RULE_NAMES, RULES

MONDAY = 739_314  # 2025-03-03
HOURS = np.arange(96) // 4
USE = np.where((HOURS >= 18) & (HOURS < 22), 400, 100) + HOURS % 3
SUN = np.where((HOURS >= 8) & (HOURS < 17), 300 + HOURS, 0)
DARK = np.where(HOURS < 3, 20, SUN)


def days_of(rows, *, first=MONDAY, channels=None, minutes=15, **columns):
    """Channel-days, one for each row of values; of one channel, day after day."""
    count = len(rows)
    slots = np.array([len(row) for row in rows], np.int64)
    zeros = np.zeros(count, np.int64)
    ordinals = np.arange(first, first + count)
    given_columns = {
        "channels": zeros if channels is None else channels,
        "ordinals": ordinals,
        "minutes": zeros + minutes,
        "slots": slots,
        "begins": np.cumsum(slots) - slots,
        "values": np.concatenate(rows).astype(np.int32),
        "kinds": zeros,
        "is_rest": (ordinals - MONDAY) % 7 >= 5,
        "maxima": np.full(count, 10_000.0),
        "repeated": zeros - 1,
        "overlaps": zeros,
        "exchanged": zeros,
        "has_generation": zeros > 0,
        "opposites": zeros - 1,
    }
    return ChannelDays(**(given_columns | columns))


def limits(*names, **changed):
    """Only these rules are on, with their usual limits or those that are given."""
    names = {*names, *changed}
    return Limits(
        np.array([[changed.get(n, RULES[n].limit) if n in names else np.nan for n in RULE_NAMES]]),
        np.array([[RULES[n].least for n in RULE_NAMES]], float),
    )


NONE = limits()


def after_weeks(row, weeks=8):
    """What is remembered of a channel with so many weeks of the same days."""
    return judge(days_of([row] * (7 * weeks), first=MONDAY - 7 * weeks), empty_histories(1),
                 NONE).histories  # fmt: skip


def spoken(rule, rows, usual, **columns):
    """The verdicts of one rule on the days after eight usual weeks."""
    judged = judge(days_of(rows, **columns), after_weeks(usual), limits(rule))
    return [(v.day, v.value, v.slot, v.count) for v in judged.verdicts]


def changed(row, **slots):
    """A copy with other values: `s5=3` is 3 in slot 5."""
    row = row.copy()
    for slot, value in slots.items():
        row[int(slot[1:])] = value
    return row


HALF_MISSING = changed(USE, s40=MISSING, s42=MISSING)
CASES = [
    ("spike", USE, [changed(USE, s10=1_608)], [(0, 4.0, 10, 1)]),  # 4 times 402
    ("spike", USE, [changed(USE, s10=1_607)], []),
    ("physical_limit", USE, [changed(USE, s9=9_500)], [(0, 95.0, 9, 1)]),
    ("physical_limit", USE, [changed(USE, s9=9_499)], []),
    ("zero_run", USE, [USE * 0], [(0, 24.0, 0, 96)]),
    ("zero_run", USE, [changed(USE * 0, s95=1)], []),
    ("flat_run", USE, [np.where(HOURS < 6, 77, USE)], [(0, 6.0, 0, 24)]),
    ("flat_run", USE, [np.where((HOURS < 6) & (np.arange(96) > 0), 77, USE)], []),
    ("flat_run", USE, [np.where(HOURS < 6, 9, USE)], []),  # below 10 Wh
    ("gap", USE, [HALF_MISSING], [(0, 2.0, 40, 3)]),
    ("gap", USE, [changed(USE, s95=MISSING)], []),  # not between values
    ("gap", USE, [USE], []),
    ("back_feed", USE * 0, [changed(USE * 0, s50=100)], [(0, 100.0, 0, 96)]),
    ("back_feed", USE * 0, [changed(USE * 0, s50=99)], []),
    ("dark_energy", SUN, [changed(SUN, s2=50)], [(0, 50.0, 2, 1)]),
    ("dark_energy", SUN, [changed(SUN, s2=49)], []),
    ("multiplier", USE, [USE * 10], [(0, 10.0, 0, 96)]),
    ("multiplier", USE, [USE * 1_000], [(0, 1_000.0, 0, 96)]),
    ("multiplier", USE * 10, [USE], [(0, 10.0, 0, 96)]),
    ("multiplier", USE, [USE * 4], []),
    ("multiplier", USE, [changed(USE, s10=int(USE.sum()) * 9)], []),  # not in all hours
    # A week of days, of which one, then two fit an hour later, and one an hour earlier.
    ("clock_drift", USE, [np.roll(USE, 4)] * 2, [(0, 1 / 7, 0, 96), (1, 2 / 7, 0, 96)]),
    ("clock_drift", USE, [np.roll(USE, -4)], [(0, 1 / 7, 0, 96)]),
    ("clock_drift", USE, [np.roll(USE, 16)], []),
    ("clock_drift", USE, [USE * 3], []),
    ("unusual_use", USE, [USE * 6], [(0, 6.0, 0, 96)]),
    ("unusual_use", USE, [USE * 4], []),
    ("unusual_use", USE, [np.where(HOURS < 6, USE * 6, USE)], [(0, 6.0, 0, 96)]),  # one quarter
    ("unusual_use", USE, [np.where(HOURS < 2, USE * 6, USE)], []),  # 16 of 6 hours' energy
    ("unusual_use", USE, [USE * 0], [(0, 7_224.0, 0, 96)]),  # 4 * (400+401+402+400+101+102)
    ("unusual_use", USE // 100, [USE // 10], []),  # below 1 000 Wh in each quarter
]


@pytest.mark.parametrize(("rule", "usual", "rows", "expected"), CASES)
def test_a_rule_speaks_from_its_limit_on(rule, usual, rows, expected):
    verdicts = spoken(rule, rows, usual)
    assert [(day, slot, count) for day, _, slot, count in verdicts] == [
        (day, slot, count) for day, _, slot, count in expected
    ]
    assert [value for _, value, _, _ in verdicts] == pytest.approx(
        [value for _, value, _, _ in expected], abs=0.006
    )


def test_a_run_goes_on_from_the_day_before_also_when_that_is_only_remembered():
    dead = np.where(HOURS < 12, USE, 0)
    judged = judge(days_of([dead]), after_weeks(USE), NONE)
    tomorrow = days_of([np.where(HOURS < 12, 0, USE)], first=MONDAY + 1)
    [verdict] = judge(tomorrow, judged.histories, limits("zero_run")).verdicts
    assert (verdict.value, verdict.slot, verdict.count) == (24.0, 0, 48)
    later = replace(tomorrow, ordinals=tomorrow.ordinals + 1)
    assert judge(later, judged.histories, limits("zero_run")).verdicts == []


def test_a_meter_without_generation_alone_feeds_back():
    [verdict] = spoken("back_feed", [USE], USE * 0)
    assert verdict[0] == 0
    assert spoken("back_feed", [USE], USE * 0, has_generation=np.array([True])) == []


def test_an_exchange_is_a_jump_for_a_week():
    exchanged = np.zeros(10, np.int64) + MONDAY + 1
    verdicts = spoken("exchange_jump", [USE] + [USE * 3] * 9, USE, exchanged=exchanged)
    assert [day for day, *_ in verdicts] == [2, 3, 4, 5, 6, 7, 8]
    assert spoken("exchange_jump", [USE * 3] * 3, USE) == []


def test_a_day_of_the_opposite_flow_has_the_wrong_sign():
    use, sun = after_weeks(USE), after_weeks(SUN)
    both = np.concatenate((use, sun))
    columns = {"opposites": np.array([1])}
    for row, expected in ((USE, []), (SUN, ["wrong_sign"])):
        verdicts = judge(days_of([row], **columns), both, limits("wrong_sign")).verdicts
        assert [verdict.rule for verdict in verdicts] == expected


def test_a_copied_hour_at_the_clock_change():
    """26 October 2025 has 25 hours in Berlin: slots 12 to 15 repeat what slots 8 to 11 show."""
    own = np.concatenate((USE[:12], USE[8:12] + np.array([1, 0, 2, 3]), USE[12:]))
    copied = np.concatenate((USE[:12], [5, 6, 7, 8], USE[12:]))
    copied[8:12] = [5, 6, 7, 8]
    flat = np.full(100, 5)
    for row, expected in ((own, []), (copied, [(12, 4)]), (flat, [])):
        judged = judge(
            days_of([row], repeated=np.array([12])), empty_histories(1), limits("repeated_hour")
        )
        assert [(verdict.slot, verdict.count) for verdict in judged.verdicts] == expected


def test_a_new_channel_has_no_usual_days():
    names = ("spike", "multiplier", "clock_drift", "wrong_sign", "exchange_jump")
    rows = [USE] * 6 + [USE * 10]
    assert judge(days_of(rows[1:]), empty_histories(1), limits(*names)).verdicts == []
    judged = judge(days_of([USE] * 7 + [USE * 10]), empty_histories(1), limits(*names))
    assert [(verdict.day, verdict.rule) for verdict in judged.verdicts] == [(7, "spike")]


def test_use_is_held_against_the_same_weekday_of_three_weeks():
    for weeks, expected in ((2, []), (3, [0])):
        usual = after_weeks(USE, weeks)
        judged = judge(days_of([USE * 6]), usual, limits("unusual_use"))
        assert [verdict.day for verdict in judged.verdicts] == expected, weeks
    mondays = np.array([0, 20, *[0] * 5])[:, None] * USE + USE
    usual = judge(days_of([*mondays] * 8, first=MONDAY - 56), empty_histories(1), NONE).histories
    days = days_of([USE * 21, USE * 21])
    judged = judge(days, usual, limits("unusual_use"))
    assert [verdict.day for verdict in judged.verdicts] == [0]  # on Tuesdays it is usual


def test_a_day_that_comes_again_is_judged_the_same_and_remembered_once():
    before = after_weeks(USE)
    odd = days_of([changed(USE, s10=5_000)])
    first = judge(odd, before, limits("spike"))
    again = judge(odd, first.histories, limits("spike"))
    assert again.verdicts == first.verdicts
    assert again.histories.tobytes() == first.histories.tobytes()


@given(st.data())
def test_days_are_judged_the_same_together_and_one_by_one(data):
    """But for shapes, which are those that were there before the batch."""
    count = data.draw(st.integers(2, 40))
    chance = np.random.default_rng(data.draw(st.integers(0, 99)))
    rows = [chance.choice([0, 0, 5, 50, 50, 400], 96) for _ in range(count)]
    rows[count // 2] = np.where(HOURS == 3, MISSING, rows[count // 2])
    rules = limits("spike", "gap", zero_run=1.0, flat_run=1.0, spike=1.5)
    together = judge(days_of(rows), empty_histories(1), rules)
    histories, verdicts = empty_histories(1), []
    for number, row in enumerate(rows):
        judged = judge(days_of([row], first=MONDAY + number), histories, rules)
        histories = read_histories(write_histories(judged.histories))
        verdicts += [replace(verdict, day=number) for verdict in judged.verdicts]
    key = lambda verdict: (verdict.day, verdict.rule)  # noqa: E731
    assert sorted(verdicts, key=key) == sorted(together.verdicts, key=key)
    for name in ("ordinals", "totals", "peaks", "last_value", "last_run", "weights"):
        assert np.array_equal(histories[name], together.histories[name]), name


def test_channels_do_not_mix():
    """Two channels in one batch are judged as each alone."""
    names = ("spike", "zero_run", "gap")
    both = days_of([USE * 0, USE * 0, USE, HALF_MISSING], channels=np.array([0, 0, 1, 1]))
    ordinals = np.array([MONDAY, MONDAY + 1] * 2)
    judged = judge(replace(both, ordinals=ordinals), empty_histories(2), limits(*names))
    assert [(v.day, v.rule, v.value) for v in judged.verdicts] == [
        (0, "zero_run", 24.0), (1, "zero_run", 48.0), (3, "gap", 2.0)
    ]  # fmt: skip
    alone = judge(days_of([USE, HALF_MISSING]), empty_histories(1), limits(*names))
    assert judged.histories[1].tobytes() == alone.histories[0].tobytes()


def test_a_history_of_another_form_is_begun_again():
    [written] = write_histories(after_weeks(USE))
    for payload in (b"", written[:-1], b"\x00" + written[1:]):
        assert read_histories([payload]).tobytes() == empty_histories(1).tobytes()
    assert read_histories([written]).tobytes() == written


@pytest.mark.parametrize("minutes", [5, 10, 15, 30, 60])
def test_intervals_of_every_length(minutes):
    row = np.repeat([10, 20], 12 * 60 // minutes)
    judged = judge(days_of([row] * 8, minutes=minutes), empty_histories(1), limits(flat_run=12.0))
    assert [(v.day, v.value) for v in judged.verdicts] == [(day, 12.0) for day in range(8)]
