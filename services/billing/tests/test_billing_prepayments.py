"""What is left of a prepayment, how long it lasts, and when that is worth an alert."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles.billing.events import APRIL, CAPACITY, FLAT, MARCH, agreement
from gridtally.billing.domain import prepayments as domain
from gridtally.billing.domain.prepayments import (
    DrawnDay,
    MeterDay,
    Position,
    Prepayment,
    RaisedAlert,
    Terms,
)
from gridtally.billing.domain.reference_data import Meter, ReferenceData
from gridtally.billing.domain.tariffs import InForce
from gridtally.billing.events.prepayments import alert_changed, prepayment_of, terms_changed
from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.kernel.money import EXACT
from gridtally.rating.document import tariff_version
from gridtally.rating.tariff import standing_charges, usage_charges

CUSTOMER = uuid4()
NOW = datetime(2025, 4, 12, 6, tzinfo=UTC)
D = Decimal
PER_BILL = {"kind": "fixed", "id": "bill", "rate": "3.00", "per": "period"}


def day(number, cost, drawn=None, *, month=4):
    """A day that costs so much, of which no invoice has anything unless `drawn` says less."""
    return DrawnDay(date(2025, month, number), D(cost), D(0), D(cost if drawn is None else drawn))


@pytest.mark.parametrize(
    ("credit", "days", "balance", "average", "empty_on", "days_left"),
    [
        ("50", [], "50", None, None, None),  # nothing is known of what a day costs
        ("50", [day(9, "2"), day(10, "3")], "45", "2", date(2025, 4, 29), 17),  # 45/2.5 = 18
        ("5.01", [day(9, "2.00"), day(10, "3.00")], "0.01", "2.50", date(2025, 4, 11), 0),
        ("5", [day(9, "2"), day(10, "3")], "0", "2", date(2025, 4, 11), 0),
        ("-5", [day(10, "3")], "-8", "3", date(2025, 4, 11), 0),
        # an invoice has the first day: it is in the average and no longer drawn
        ("50", [day(9, "2", "0"), day(10, "4")], "46", "3", date(2025, 4, 26), 14),
        # who feeds in as much as he takes has no last day
        ("50", [day(9, "-4"), day(10, "4")], "50", "0", None, None),
        ("1", [day(9, "-4"), day(10, "1")], "4", "-2", None, None),
        # only the last 14 known days are in the average; those before still are drawn
        ("100", [day(1, "30", month=3), *(day(n, "1") for n in range(1, 15))], "56", "1",
         date(2025, 6, 10), 59),
        ("99999", [day(10, "0.01")], "99998.99", "0.01", None, None),  # longer than ten years
    ],
)  # fmt: skip
def test_what_is_left_and_how_long_it_lasts(credit, days, balance, average, empty_on, days_left):
    now_is = domain.position(D(credit), days, NOW.date())
    assert now_is.balance == D(balance)
    assert now_is.average == (None if average is None else D(average))
    assert (now_is.empty_on, now_is.days_left) == (empty_on, days_left)
    assert now_is.drawn_through == (days[-1].day if days else None)


def standing_at(balance, days_left=None):
    return Position(D(balance), D(0), None, D(1), None, days_left)


LOW = RaisedAlert("prepayment_low", NOW, D("8"))
EMPTY = RaisedAlert("prepayment_empty", NOW, D("-1"))


@pytest.mark.parametrize(
    ("amount", "days", "alert", "balance", "days_left", "kind"),
    [
        ("10", None, None, "10", 1, None),
        ("10", None, None, "9.99", 400, "prepayment_low"),
        (None, 5, None, "9.99", 6, None),
        (None, 5, None, "9.99", 5, "prepayment_low"),
        (None, 5, None, "9.99", None, None),  # it does not run out
        ("10", 5, None, "20", 5, "prepayment_low"),  # either is enough
        ("10", 5, None, "0", 0, "prepayment_empty"),
        (None, 5, None, "-3", None, "prepayment_empty"),
        # it is raised once, and stays as it was while it goes on
        ("10", None, LOW, "7", 3, LOW),
        ("10", None, LOW, "9", 3, LOW),
        # by days alone, it ends by more money, and not by an average that has moved, nor by cents
        (None, 5, LOW, "8", 6, LOW),
        (None, 5, LOW, "7.5", 6, LOW),
        (None, 5, LOW, "9.00", 6, LOW),
        (None, 5, LOW, "9.01", 6, None),
        (None, 5, LOW, "58", 30, None),
        ("10", None, LOW, "-0.01", 0, "prepayment_empty"),
        ("10", None, EMPTY, "-20", 0, EMPTY),
        ("10", None, EMPTY, "0", 0, EMPTY),
        ("10", None, EMPTY, "4", 2, "prepayment_low"),  # not enough was paid
        ("10", None, EMPTY, "50", 40, None),
    ],
)
def test_an_alert_is_raised_once_and_ends_by_more_money(
    amount, days, alert, balance, days_left, kind
):
    terms = Terms(CUSTOMER, amount and D(amount), days)
    before = Prepayment(terms, is_active=True, alert=alert, version=1)
    later = NOW + timedelta(days=1)
    judged = domain.judged(before, standing_at(balance, days_left), later)
    if kind is None:
        assert judged is None
    elif isinstance(kind, RaisedAlert):
        assert judged == replace(kind, balance=min(kind.balance, D(balance)))
    else:
        assert judged == RaisedAlert(kind, later, D(balance))
    again = domain.judged(replace(before, alert=judged), standing_at(balance, days_left), later)
    assert again == judged


def test_a_payment_that_leaves_less_than_at_the_alert_ends_it_all_the_same():
    """What counts is the least that was left since: so the next time it is low is announced."""
    own = Prepayment(Terms(CUSTOMER, None, 5), is_active=True, alert=LOW, version=1)
    for balance, days_left, kind, version in (
        ("1", 1, "prepayment_low", 1),  # less is left: it is kept, and nothing is published
        ("7", 4, "prepayment_low", 1),  # paid, and still low by what a day has cost
        ("7", 7, None, 2),  # less was used since: below the 8 of the alert, but above the 1
        ("4", 4, "prepayment_low", 3),
    ):
        own = domain.with_alert(own, domain.judged(own, standing_at(balance, days_left), NOW))
        assert (own.alert and own.alert.kind, own.version) == (kind, version)


def test_terms_change_and_end_and_begin_again():
    first = domain.with_terms(None, Terms(CUSTOMER, None, 7))
    assert (first.version, first.is_active) == (1, True)
    assert domain.with_terms(first, Terms(CUSTOMER, None, 7)) is first
    low = replace(first, alert=LOW)
    other = domain.with_terms(low, Terms(CUSTOMER, D(5)))
    assert (other.version, other.alert) == (2, LOW)
    over = domain.ended(other)
    assert (over.version, over.is_active, over.alert) == (3, False, None)
    assert domain.with_terms(over, over.terms) == replace(over, is_active=True, version=4)


def test_a_day_that_is_not_over_is_drawn_and_is_not_in_the_average():
    """At noon of the 12th, ten hours of which have cost 1."""
    today = replace(day(12, "1"), is_over=False)
    now_is = domain.position(D(25), [day(10, "2"), day(11, "2"), today], NOW.date())
    assert (now_is.balance, now_is.average) == (D(20), D(2))
    # 21 were left when the 11th was over
    assert (now_is.drawn_through, now_is.days_left) == (date(2025, 4, 11), 10)
    none = domain.position(D(25), [today], NOW.date())
    assert (none.balance, none.average, none.drawn_through) == (D(24), None, None)


def known_of(own, document, *more, kw=None):
    """Reference data of an agreement, its meter, and versions of its tariff from a day on."""
    versions = [(date(2025, 1, 1), document), *more]
    ids = [uuid4() for _ in versions]
    in_force = [
        InForce(id_, number, since, None)
        for number, (id_, (since, _)) in enumerate(zip(ids, versions, strict=True), start=1)
    ]
    return ReferenceData(
        agreements={("t", own.id): own},
        meters={("t", own.meter_id): Meter(kw, frozenset({"import"}))},
        currencies={},
        versions={("t", own.tariff_id): in_force},
        documents={
            ("t", id_): json.dumps(document)
            for id_, (_, document) in zip(ids, versions, strict=True)
        },
    )


DEARER = FLAT | {"components": [FLAT["components"][0] | {"rate": "25.00"}, *FLAT["components"][1:]]}
PER_DAY = FLAT | {"components": [FLAT["components"][0] | {"proration": "none"}]}


@pytest.mark.parametrize(
    ("documents", "kw", "total"),
    [
        # 12.50, and 2.375 of tax, as an invoice rounds them: 12.50 + 2.38
        ([FLAT], None, "14.88"),
        # the half month before at 12.50, the rest at 25.00: 15/31 and 16/31, each with its tax
        ([FLAT, (date(2025, 3, 16), DEARER)], None, "22.55"),
        # a month that is due whole falls on all its days alike, and so does what is due per bill
        ([PER_DAY], None, "12.50"),
        ([FLAT | {"components": [PER_BILL]}], None, "3.00"),
        ([FLAT | {"components": [CAPACITY]}], "15", "30.00"),
        ([FLAT | {"components": [CAPACITY]}], None, "0"),  # the invoice is held too
        ([FLAT | {"components": FLAT["components"][1:2]}], None, "0"),
    ],
)
def test_days_of_a_period_add_up_to_what_it_owes_for_time(documents, kw, total):
    own = agreement(tariff_id=uuid4())
    first, *later = documents
    known = known_of(own, first, *later, kw=kw and D(kw))
    days = [MeterDay(own.id, own.meter_id, on, D("1.00"), True) for on in MARCH.dates()]
    drawn = domain.drawn_days("t", days, known, NOW)
    assert sum(own_day.standing for own_day in drawn) == D(total)
    shares = {own_day.standing for own_day in drawn}
    if len(documents) == 1:
        assert max(shares) - min(shares) <= D("0.01")
    assert sum(own_day.drawn for own_day in drawn) == D(total) + 31


LORD_HOWE = FLAT | {"zone": "Australia/Lord_Howe"}
"""Its clocks are changed by half an hour, on 6 April 2025: hours do not fill that day."""
FINE = FLAT | {
    "rounding": {"decimals": 8},
    "components": [
        {"kind": "fixed", "id": "base", "rate": "1.00", "per": "day"},
        *({"kind": "percent", "id": f"p{n}", "rate": "10"} for n in range(20)),
    ],
}
"""Elevenfold, twenty times: thirty digits of a valid tariff."""


@pytest.mark.parametrize(("document", "total"), [(LORD_HOWE, "14.88"), (FINE, 30 * 11**20)])
def test_standing_charges_of_every_valid_tariff_are_shared_exactly(document, total):
    own = agreement(tariff_id=uuid4())
    days = [MeterDay(own.id, own.meter_id, on, D(0), True) for on in reversed(APRIL.dates())]
    drawn = domain.drawn_days("t", days, known_of(own, document), NOW + timedelta(days=60))
    now_is = domain.position(D(0), drawn, APRIL.end_on)
    assert now_is.drawn == D(total)
    assert abs(EXACT.multiply(now_is.average, 30) - now_is.drawn) < D("0.15")


def test_what_a_period_owes_is_worked_out_once_whatever_order_days_come_in():
    """Also where it cannot be: a tariff that is refused is not read for each day anew."""
    asked = []

    class Counted(ReferenceData):
        def parts(self, *period):
            asked.append(period)
            return super().parts(*period)

    own = agreement(tariff_id=uuid4())
    for document in (FLAT, FLAT | {"components": [CAPACITY]}):
        plain = known_of(own, document)
        known = Counted(**{name: getattr(plain, name) for name in ReferenceData.__slots__})
        mixed = [on for pair in zip(MARCH.dates(), APRIL.dates(), strict=False) for on in pair]
        days = [MeterDay(own.id, own.meter_id, on, D(1), True) for on in mixed]
        asked.clear()
        assert len(domain.drawn_days("t", days, known, NOW)) == len(days)
        assert len(asked) == 2


def test_a_day_is_over_by_its_tariffs_clock_and_billed_by_all_of_its_invoices():
    first, second = (agreement(tariff_id=uuid4()) for _ in range(2))
    late = datetime(2025, 3, 1, 13, 30, tzinfo=UTC)  # the second begins on Lord Howe Island
    known = known_of(first, LORD_HOWE)
    on = MARCH.start_on

    def drawn_at(now, *is_drawn):
        owners = zip((first, second), is_drawn, strict=False)
        days = [MeterDay(own.id, own.meter_id, on, D(0), drawn) for own, drawn in owners]
        [drawn] = domain.drawn_days("t", days, known, now)
        return drawn.is_over, drawn.is_billed

    assert drawn_at(late, False) == (True, True)
    assert drawn_at(late - timedelta(hours=1), False) == (False, True)
    # one who is unknown is by UTC
    assert drawn_at(late, False, True) == (False, False)
    assert drawn_at(NOW, False, False) == (True, True)


def test_each_meter_has_its_share_and_who_is_unknown_has_none():
    first, second = (agreement(tariff_id=uuid4()) for _ in range(2))
    one_day = MARCH.start_on
    known = known_of(first, FLAT)
    meters = [MeterDay(own.id, own.meter_id, one_day, D("2.00"), True) for own in (first, second)]
    [drawn] = domain.drawn_days("t", meters, known, NOW)
    assert (drawn.usage, drawn.standing, drawn.drawn) == (D("4.00"), D("0.48"), D("4.48"))
    ended = replace(first, end_on=one_day)  # its days have a cost until they are priced anew
    assert domain.drawn_days("t", meters[:1], known_of(ended, FLAT), NOW)[0].standing == 0
    none = replace(known, versions={})
    assert domain.drawn_days("t", meters[:1], none, NOW)[0].standing == 0


def test_standing_and_usage_charges_are_all_of_a_plain_tariff():
    """Nothing is drawn twice, and nothing of these is left out."""
    percent = {"kind": "percent", "id": "green", "rate": "0.1", "at_most": "5.00"}
    document = FLAT | {"components": [CAPACITY, *FLAT["components"][:2], percent]}
    version = tariff_version(uuid4(), json.loads(json.dumps(document)))
    standing, usage = standing_charges(version), usage_charges(version)
    assert [own.id for own in standing.components] == ["capacity", "base", "green"]
    assert [own.id for own in usage.components] == ["energy", "green"]
    assert standing.components[2].at_most is None
    tax_alone = tariff_version(uuid4(), FLAT | {"components": FLAT["components"][1:2]})
    assert standing_charges(tax_alone) is None


def test_what_is_published_is_read_back():
    cause = str(uuid4())
    prepayment = Prepayment(Terms(CUSTOMER, D("10.00"), 5), is_active=True, alert=LOW, version=3)
    now_is = Position(D("9"), D("1"), date(2025, 4, 11), D("2"), date(2025, 4, 16), 4)
    for message, change in (
        (alert_changed("t", prepayment, "EUR", now_is, NOW), "alert"),
        (terms_changed("t", prepayment, cause, NOW), "terms"),
        (terms_changed("t", domain.ended(prepayment), cause, NOW), "end"),
    ):
        event = PrepaymentChanged.model_validate_json(message.value)
        assert (event.change, message.key) == (change, f"t:{CUSTOMER}")
        expected = domain.ended(prepayment) if change == "end" else prepayment
        assert prepayment_of(event) == expected
    ended_alert = replace(prepayment, alert=None)
    event = PrepaymentChanged.model_validate_json(
        alert_changed("t", ended_alert, "EUR", now_is, NOW).value
    )
    assert (event.alert, event.balance, event.empty_on) == (None, D("8"), date(2025, 4, 16))


amounts = st.decimals(-50, 200, places=2)
steps = st.one_of(
    st.tuples(st.just("pay"), amounts),
    st.tuples(st.just("read"), st.integers(0, 60), amounts),
    st.tuples(st.just("bill"), st.integers(0, 60), st.integers(1, 31), amounts),
    st.tuples(st.just("void"), st.integers(0, 9)),
)


@given(st.lists(steps, max_size=40))
def test_it_is_payments_less_invoices_less_days_without_one_whatever_happens(happened):
    """In any order: payments, first readings and corrections of days, invoices that take days, and
    invoices that are taken back. Once each day has its invoice, payments and invoices alone
    count."""
    own = agreement(tariff_id=uuid4())
    known = known_of(own, FLAT)
    paid, costs, invoices = D(0), {}, []
    for kind, *what in happened:
        if kind == "pay":
            paid += what[0]
        elif kind == "read":
            costs[what[0]] = what[1]
        elif kind == "bill":
            first, length, total = what
            if not any(set(range(first, first + length)) & taken for taken, _ in invoices):
                invoices.append((set(range(first, first + length)), total))
        elif what[0] < len(invoices):
            invoices.pop(what[0])
        check(own, known, paid, costs, invoices)
    left = [number for number in costs if not any(number in taken for taken, _ in invoices)]
    invoices += [({number}, D("7.77")) for number in left]
    now_is = check(own, known, paid, costs, invoices)
    assert now_is.balance == paid - sum(total for _, total in invoices)


def check(own, known, paid, costs, invoices):
    """Position as the domain has it of these days, in a random order, against the sum by hand."""
    billed = set().union(*(taken for taken, _ in invoices)) if invoices else set()
    dated = {number: MARCH.start_on + timedelta(days=number) for number in costs}
    days = [
        MeterDay(own.id, own.meter_id, dated[number], cost, number not in billed)
        for number, cost in costs.items()
    ]
    credit = paid - sum((total for _, total in invoices), D(0))
    drawn = domain.drawn_days("t", days, known, NOW)
    now_is = domain.position(credit, drawn, APRIL.end_on)
    standing = {own_day.day: own_day.standing for own_day in drawn}
    expected = credit - sum(
        (cost + standing[dated[number]] for number, cost in costs.items() if number not in billed),
        D(0),
    )
    assert now_is.balance == expected
    return now_is
