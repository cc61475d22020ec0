"""Readings by customers: when they were taken, and which are asked about once more."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period, local_date
from gridtally.ledger.metering.readings.domain.customer_readings import (
    NOTE,
    SENT_OF_DAY_MAX,
    OwnRegister,
    SentOfDay,
    check_between,
    check_day,
    check_day_anywhere,
    doubt_about,
    expected_value,
    moment_of,
)
from gridtally.ledger.metering.readings.domain.readings import Entry
from gridtally.ledger.metering.readings.schemas.customer_readings import CustomerRegister
from gridtally.ledger.registry.domain.meters import Register

REGISTER = Register("import", digits=6, decimals=1)
NOW = datetime(2025, 7, 1, 8, 30, tzinfo=UTC)
METER = UUID(int=1)


def entry(value, days_ago, kind="reading", note=""):
    id_ = uuid4()
    return Entry(
        id_, id_, 1, None, METER, METER, REGISTER, kind, None, Decimal(value), "actual", note,
        NOW - timedelta(days=days_ago),
    )  # fmt: skip


# 10 kWh a day: 1000 a hundred days before, 2000 now
STEADY = [entry("2000", 0), entry("1500", 50), entry("1000", 100)]


@pytest.mark.parametrize(
    ("value", "days_on", "recent", "doubt"),
    [
        ("5", 10, [], None),  # nothing is known
        ("2100", 10, STEADY, None),
        ("2350", 10, STEADY, None),  # 3 × 100, and 50 to spare
        ("2350.1", 10, STEADY, "higher_than_expected"),
        ("2000", 10, STEADY, None),
        ("1999.9", 10, STEADY, "lower_than_last"),
        ("1900", -10, STEADY, "earlier_than_last"),
        ("99999", 10, STEADY[:1], None),  # one reading has no pace
        ("99999", 10, [entry("2000", 0), entry("1990", 6)], None),  # nor have six days
        # before an exchange, a rollover, or more than 400 days ago another use was counted
        ("99999", 10, [entry("9", 0), entry("0", 6, "exchange_initial"), *STEADY], None),
        ("2030", 10, [entry("2000", 0, "exchange_initial"), *STEADY], None),
        ("99999", 10, [entry("5", 0), entry("9990", 30)], None),
        ("99999", 10, [entry("2000", 0), entry("1000", 401)], None),
        # since the exchange, eight days ago, 1 kWh a day
        ("88", 10, [entry("8", 0), entry("0", 8, "exchange_initial"), *STEADY], None),
        ("88.1", 10, [entry("8", 0), entry("0", 8, "exchange_initial"), *STEADY],
         "higher_than_expected"),
    ],
)  # fmt: skip
def test_what_is_doubtful(value, days_on, recent, doubt):
    at = NOW + timedelta(days=days_on)
    assert doubt_about(Decimal(value), at, recent) == doubt


def test_use_goes_on_as_before():
    assert expected_value(STEADY, NOW + timedelta(days=10)) == 2100
    assert expected_value(STEADY, NOW) is None
    assert expected_value([], NOW) is None


@pytest.mark.parametrize(
    ("day", "zone", "moment"),
    [
        (None, "UTC", NOW),
        (date(2025, 7, 1), "Europe/Berlin", NOW),
        (date(2025, 6, 30), "Europe/Berlin", datetime(2025, 6, 30, 10, tzinfo=UTC)),
        (date(2025, 7, 1), "Pacific/Auckland", datetime(2025, 7, 1, 0, tzinfo=UTC)),
        (date(2025, 3, 30), "Europe/Berlin", datetime(2025, 3, 30, 10, tzinfo=UTC)),
    ],
)
def test_today_is_now_and_another_day_its_noon(day, zone, moment):
    now = NOW if zone != "Pacific/Auckland" else NOW + timedelta(hours=4)
    if day is not None and day.month == 3:  # the day on which the clocks go forward
        now = datetime(2025, 4, 20, tzinfo=UTC)
    assert moment_of(day, zone, now) == moment


@pytest.mark.parametrize(
    ("day", "zone", "code"),
    [
        (date(2025, 7, 2), "Europe/Berlin", "future_reading"),
        (date(2025, 7, 2), "Pacific/Auckland", None),  # it is that day there
        (date(2025, 7, 1), "America/Los_Angeles", "future_reading"),
        (date(2025, 5, 1), "America/Los_Angeles", None),
        (date(2025, 4, 30), "America/Los_Angeles", "read_too_long_ago"),
        (date(2025, 5, 2), "Pacific/Auckland", "read_too_long_ago"),
        (date.min, "UTC", "read_too_long_ago"),
        (date.max, "UTC", "future_reading"),
    ],
)
def test_a_day_to_come_or_too_long_ago_has_no_reading(day, zone, code):
    """By the property's own days; what is so in every zone is refused before any is counted."""
    now = datetime(2025, 7, 1, 0 if "Los" in zone else 13, tzinfo=UTC)
    if code is None:
        moment_of(day, zone, now)
        check_day_anywhere(day, now)
        return
    for check in (lambda: moment_of(day, zone, now), lambda: check_day(day, local_date(zone, now))):
        with pytest.raises(Rejected) as refused:
            check()
        assert refused.value.code == code
        assert [fault.path for fault in refused.value.faults] == ["/read_on"]
    if day in (date.min, date.max):
        with pytest.raises(Rejected) as refused:
            check_day_anywhere(day, now)
        assert refused.value.code == code


def test_a_register_is_shown_with_the_last_two_readings_of_its_own_time():
    """The customer's where it sent the entry that counts, whatever the note says; and what was
    taken by the local day before or after is another's."""
    posing, sent = entry("2", 0, note=NOTE), entry("1", 1)
    tenure = Period(date(2025, 7, 1), date(2025, 7, 2))

    def of(*recent):
        return OwnRegister(
            METER, "m", "p", "Pacific/Auckland", REGISTER, tenure, recent, frozenset([sent.id])
        )

    def shown(*recent):
        register = CustomerRegister.of(of(*recent))
        assert register.end_on == date(2025, 7, 2)
        return [
            known and (known.value, known.is_by_customer)
            for known in (register.last, register.before_last)
        ]

    assert shown(posing, sent, posing) == [(2, False), (1, True)]
    assert shown(sent) == [(1, True), None]
    assert shown() == [None, None]
    # 1 July is from noon of 30 June on, in UTC
    hours = [(NOW, True), (NOW + timedelta(hours=4), False), (NOW - timedelta(hours=21), False)]
    for read_at, is_own in hours:
        taken = replace(sent, read_at=read_at)
        assert of().in_own_time(taken) == (taken if is_own else None)
    assert of().in_own_time(None) is None


def test_so_many_entries_of_a_day_are_taken():
    own = entry("7", 0)
    SentOfDay(own, SENT_OF_DAY_MAX - 1).check_count()
    with pytest.raises(Rejected) as refused:
        SentOfDay(own, SENT_OF_DAY_MAX).check_count()
    assert refused.value.code == "reading_sent_too_often"
    assert SentOfDay(own, 1).is_repeated(Decimal("7.0"))
    assert not SentOfDay(own, 1).is_repeated(Decimal("7.1"))
    assert not SentOfDay(None, 1).is_repeated(Decimal(7))


@pytest.mark.parametrize(
    ("value", "before", "after", "fits"),
    [
        ("99", "100", None, True),  # nothing follows: it may have begun again
        ("100", "100", "200", True),
        ("200", "100", "200", True),
        ("99", "100", "200", False),
        ("201", "100", "200", False),
        ("201", None, "200", False),
        ("5", None, "200", True),
        ("5", None, None, True),
        # it began again between the two: on this side of it or on that
        ("9995", "9990", "9", True),
        ("3", "9990", "9", True),
        ("500", "9990", "9", False),
    ],
)
def test_a_value_fits_between_those_that_count(value, before, after, fits):
    around = [None if read is None else entry(read, 0) for read in (before, after)]
    if fits:
        check_between(Decimal(value), *around)
        return
    with pytest.raises(Rejected) as refused:
        check_between(Decimal(value), *around)
    assert refused.value.code == "reading_contradicts"
    assert [fault.path for fault in refused.value.faults] == ["/value"]
    assert after in refused.value.faults[0].detail
