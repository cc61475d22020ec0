"""What billing decides, in tables: versions in force, agreements, what is billed and what held."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.collective_members import expected_periods
from gridtally.billing.domain.credit_notes import cancel
from gridtally.billing.domain.customers import Customer, CustomerBalance
from gridtally.billing.domain.invoices import issue, numbered, series_of
from gridtally.billing.domain.periods import (
    BilledPeriod,
    ClosedPeriod,
    HeldPeriod,
    LiveInvoice,
    Predecessor,
    bill_periods,
    in_agreement_order,
    with_reference_data,
)
from gridtally.billing.domain.reference_data import Meter, ReferenceData
from gridtally.billing.domain.tariffs import InForce, cut_by_version, version_on
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.rating.price_days import PriceDay, versioned_series
from gridtally.rating.state import Credit
from gridtally.rating.usage import MISSING

A, B, C = (UUID(int=n) for n in (1, 2, 3))
TENANT = "acme"
NOW = datetime(2025, 4, 2, tzinfo=UTC)
MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
SLOTS = MARCH.slots("Europe/Berlin", 60)
DOCUMENT = """{"currency": "EUR", "zone": "Europe/Berlin", "components": [
  {"kind": "energy", "id": "energy", "rate": "0.30"},
  {"kind": "energy", "id": "feed-in", "rate": "-0.08", "flow": "export"}%s]}"""
CAPACITY = ', {"kind": "capacity", "id": "capacity", "rate": "2"}'
REACTIVE = ', {"kind": "reactive_energy", "id": "kvarh", "rate": "0.05", "free_share": "0.5"}'


def march(day):
    return date(2025, 3, day)


def version(version_id, since, until=None, number=1):
    return InForce(version_id, number, since, until)


CUTS = [
    # name, versions, the version of each part of March with its last day
    ("one", [version(A, march(1))], [(31, A)]),
    ("none", [], [(31, None)]),
    ("begins inside", [version(A, march(11))], [(10, None), (31, A)]),
    ("ends inside", [version(A, march(1), march(11))], [(10, A), (31, None)]),
    ("changes", [version(A, march(1)), version(B, march(16), number=2)], [(15, A), (31, B)]),
    (
        "gap",
        [version(A, march(1), march(10)), version(B, march(20))],
        [(9, A), (19, None), (31, B)],
    ),
    (
        "interlude",
        [version(A, march(1)), version(B, march(10), march(20), 2)],
        [(9, A), (19, B), (31, A)],
    ),
    ("edges outside", [version(A, date(2024, 1, 1), date(2026, 1, 1))], [(31, A)]),
    ("ends on the last edge", [version(A, march(1), date(2025, 4, 1))], [(31, A)]),
    ("same day, higher number", [version(A, march(1)), version(B, march(1), None, 2)], [(31, B)]),
    (
        "touching halves of one version",
        [version(A, march(1)), version(B, march(5), march(6), 0)],
        [(4, A), (5, B), (31, A)],
    ),
]


@pytest.mark.parametrize(
    ("versions", "parts"), [case[1:] for case in CUTS], ids=[case[0] for case in CUTS]
)
def test_a_period_is_cut_where_versions_change(versions, parts):
    cut = cut_by_version(MARCH, versions)
    assert [((part.end_on - date.resolution).day, chosen) for part, chosen in cut] == parts
    assert cut == cut_by_version(MARCH, reversed(versions))
    for day in MARCH.dates():
        assert version_on(versions, day) == next(chosen for part, chosen in cut if day in part)


AGREEMENT = Agreement(A, B, C, A, march(1), None, "wait", 72, 1)


@pytest.mark.parametrize(
    "change", [{"end_on": date(2025, 2, 28)}, {"end_on": date(2024, 1, 1)}, {"grace_hours": -1}]
)
def test_an_agreement_refuses_what_makes_no_sense(change):
    with pytest.raises(ValueError, match=r"agreement|grace_hours"):
        replace(AGREEMENT, **change)


HISTORY = [
    # billing starts, agreement ends, day; its period
    (None, None, 20, (1, 32)),
    (9, None, 8, (1, 9)),  # costs alone
    (9, None, 9, (9, 32)),  # the first that is invoiced
    (9, 15, 9, (9, 15)),
    (9, 5, 4, (1, 5)),  # ended before anything was invoiced
]


@pytest.mark.parametrize(("billing_starts", "ends", "day", "days"), HISTORY)
def test_a_period_is_cut_where_invoices_begin(billing_starts, ends, day, days):
    """Of March; 32 is the first of April."""
    agreement = replace(
        AGREEMENT,
        end_on=ends and march(ends),
        billing_starts_on=billing_starts and march(billing_starts),
    )
    start_on, end_on = (MARCH.start_on + timedelta(days=number - 1) for number in days)
    assert agreement.period_of(march(day)) == Period(start_on, end_on)
    assert march(day) in agreement


def test_a_collective_invoice_waits_for_no_days_before_invoices_begin():
    agreement = replace(AGREEMENT, billing_starts_on=march(9))
    february = Period(date(2025, 2, 1), march(1))
    early = replace(agreement, start_on=date(2025, 1, 1))
    assert list(expected_periods([early], february)) == []
    assert list(expected_periods([early], MARCH)) == [(A, Period(march(9), MARCH.end_on))]


def test_an_agreement_that_is_cancelled_from_its_first_day_has_none():
    cancelled = AGREEMENT.cancelled_from(date(2024, 5, 5))
    assert (cancelled.end_on, cancelled.version) == (march(1), 2)
    assert cancelled.is_cancelled
    assert march(1) not in cancelled
    assert cancelled.has_left(MARCH)
    assert not cancelled.spans(MARCH)
    with pytest.raises(Rejected, match="ended on"):
        cancelled.cancelled_from(march(1))
    shorter = AGREEMENT.cancelled_from(march(9))
    assert (shorter.end_on, shorter.is_cancelled, shorter.has_left(MARCH)) == (
        march(9),
        False,
        False,
    )


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "ÄÖÜ"])
def test_a_customer_needs_a_currency(currency):
    with pytest.raises(ValueError, match="currency"):
        Customer(A, "Ada", None, currency)


def closed(**changes):
    values = changes.pop("values", np.full(SLOTS, 1_000, np.int32))
    fields = {
        "tenant_id": TENANT,
        "agreement_id": A,
        "meter_id": C,
        "zone": "Europe/Berlin",
        "period": MARCH,
        "revision": 1,
        "closed_by": "complete",
        "minutes": {"import": 60},
        "series": {"import": values},
        "doubtful": {},
        "expected_intervals": SLOTS,
        "present_intervals": SLOTS,
        "digest": "0" * 64,
        "usage_packed": b"",
        "series_leaves": (),
        "correlation_id": "c",
        "event": b"",
    }
    return ClosedPeriod(**(fields | changes))


def reference_data(document=DOCUMENT % "", **changes):
    fields = {
        "agreements": {(TENANT, A): AGREEMENT},
        "meters": {(TENANT, C): Meter(Decimal(15), frozenset({"import"}))},
        "currencies": {(TENANT, B): "EUR"},
        "versions": {(TENANT, A): [version(A, march(1))]},
        "documents": {(TENANT, A): document},
    }
    return ReferenceData(**(fields | changes))


def billed_alone(periods, known):
    """What becomes of periods before which nothing was billed."""
    return bill_periods(with_reference_data(periods, known), {}, {})


BOTH_FLOWS = {(TENANT, C): Meter(Decimal(15), frozenset({"import", "export"}))}
METERED = np.full(SLOTS, 1_000, np.int32)
GAP = np.array([MISSING] + [1_000] * (SLOTS - 1), np.int32)
HELD = [
    ("agreement_missing", closed(), reference_data(agreements={})),
    ("agreement_differs", closed(meter_id=B), reference_data()),
    (
        "agreement_differs",
        closed(),
        reference_data(agreements={(TENANT, A): replace(AGREEMENT, end_on=march(9))}),
    ),
    ("meter_missing", closed(), reference_data(meters={})),
    ("tariff_missing", closed(), reference_data(versions={})),
    ("tariff_missing", closed(tenant_id="other"), reference_data(
     agreements={("other", A): AGREEMENT}, meters={("other", C): Meter(None, frozenset())})),
    ("invalid_tariff", closed(), reference_data('{"currency": "EUR"}')),
    ("currency_differs", closed(), reference_data(currencies={(TENANT, B): "USD"})),
    ("connected_kw_missing", closed(), reference_data(DOCUMENT % CAPACITY,
     meters={(TENANT, C): Meter(None, frozenset({"import"}))})),
    (
        "usage_impossible",
        closed(),
        reference_data(meters={(TENANT, C): Meter(Decimal(-1), frozenset({"import"}))}),
    ),
    ("flow_missing", closed(), reference_data(meters=BOTH_FLOWS)),
    ("flow_missing", closed(), reference_data(DOCUMENT % REACTIVE)),
    ("flow_missing", closed(closed_by="forced", minutes={"import": 60, "reactive_import": 60},
     series={"import": METERED, "reactive_import": np.full(SLOTS, MISSING, np.int32)}),
     reference_data(DOCUMENT % REACTIVE)),
    ("values_missing", closed(values=GAP), reference_data()),
    ("flow_missing", closed(minutes={}, series={}), reference_data()),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "period", "known"), HELD)
def test_a_period_is_held_for_a_reason(reason, period, known):
    (result,) = billed_alone([period], known)
    assert isinstance(result, HeldPeriod)
    assert result.reason == reason
    assert result.detail


BILLED = [
    ("complete", closed(), "222.90"),
    ("with gaps, closed by its grace time", closed(values=GAP, closed_by="grace"), "222.60"),
    ("forced", closed(values=GAP, closed_by="forced"), "222.60"),
]
WITH_REACTIVE = closed(
    minutes={"import": 60, "reactive_import": 30},
    series={"import": METERED, "reactive_import": np.full(2 * SLOTS, 300, np.int32)},
)


@pytest.mark.parametrize(
    ("period", "total"), [case[1:] for case in BILLED], ids=[case[0] for case in BILLED]
)
def test_a_period_is_billed(period, total):
    (result,) = billed_alone([period], reference_data())
    assert isinstance(result, BilledPeriod)
    assert result.bill.total == Decimal(total)


def test_reactive_energy_of_other_intervals_is_billed_and_its_share_is_free():
    """743 hours of 1 kWh and 0.6 kvarh: 222.90 for energy, and 0.1 × 743 × 0.05 = 3.72."""
    (result,) = billed_alone([WITH_REACTIVE], reference_data(DOCUMENT % REACTIVE))
    assert isinstance(result, BilledPeriod)
    assert result.bill.total == Decimal("222.90") + Decimal("3.72")


def test_good_periods_are_billed_beside_bad_ones_in_order():
    periods = [closed(), closed(values=GAP), closed(meter_id=B), closed(revision=2)]
    results = billed_alone(periods, reference_data())
    assert [result.closed for result in results] == periods
    assert [isinstance(result, BilledPeriod) for result in results] == [True, False, False, True]


FEED_IN = """{"currency": "EUR", "zone": "Europe/Berlin", "components": [
  {"kind": "energy", "id": "energy", "rate": "0.30"},
  {"kind": "export_credit", "id": "feed-in", "rate": "0.08",
   "surplus": {"kind": "offset", "unused": "carry_forward"}}]}"""
PREDECESSORS = [
    # name, the period before, its credit is used up: what is left, the bill (222.90 without it)
    ("none", None, "previous_period_missing", None),
    ("earlier", Predecessor(march(1) - 2 * ONE_DAY, True, {}), "previous_period_missing", None),
    ("open", Predecessor(march(1), False, {}), "previous_period_open", None),
    ("nothing", Predecessor(march(1), True, {}), {}, "222.90"),
    ("used up", Predecessor(march(1), True, {"feed-in": Credit(Decimal(4))}), {}, "218.90"),
    (
        "more than the bill",
        Predecessor(march(1), True, {"feed-in": Credit(Decimal(300))}),
        {"feed-in": Credit(Decimal("77.10"))},
        "0.00",
    ),
    (
        "of a component that is there no more",
        Predecessor(march(1), True, {"gone": Credit(Decimal(4))}),
        {"gone": Credit(Decimal(4))},
        "222.90",
    ),
]


@pytest.mark.parametrize(
    ("before", "after", "total"),
    [case[1:] for case in PREDECESSORS],
    ids=[case[0] for case in PREDECESSORS],
)
def test_a_period_continues_where_the_one_before_it_ended(before, after, total):
    known = reference_data(
        FEED_IN, agreements={(TENANT, A): replace(AGREEMENT, start_on=date(2025, 1, 1))}
    )
    period = closed()
    predecessors = {} if before is None else {period.key: before}
    (result,) = bill_periods(with_reference_data([period], known), predecessors, {})
    if total is None:
        assert result.reason == after
    else:
        assert (result.bill.total, result.state_after) == (Decimal(total), after)


def test_the_first_period_that_is_invoiced_carries_on_from_none():
    """What a tariff carries forward begins with the first invoice, whatever is known before."""
    first = replace(AGREEMENT, start_on=date(2025, 1, 1), billing_starts_on=march(1))
    known = reference_data(FEED_IN, agreements={(TENANT, A): first})
    (billed,) = billed_alone([closed()], known)
    assert billed.bill.total == Decimal("222.90")


def test_a_period_that_is_billed_again_is_a_restatement():
    period = closed(revision=2)
    loaded = with_reference_data([period], reference_data())
    ids = set()
    for live, restatement in (
        (None, 0),
        (LiveInvoice(1, 3), 0),
        (LiveInvoice(2, 0), 1),
        (LiveInvoice(2, 1), 2),
    ):
        (result,) = bill_periods(loaded, {}, {} if live is None else {period.key: live})
        assert result.restatement == restatement
        ids.add(result.invoice_id)
    assert len(ids) == 3


def test_lists_hold_each_agreement_once_and_keep_its_order():
    other, april = replace(closed(), agreement_id=B), Period(MARCH.end_on, date(2025, 5, 1))
    sent = [
        closed(),
        closed(revision=2),
        other,
        replace(closed(revision=3), period=april),
        closed(),
    ]
    assert [[closed.revision for closed in periods] for periods in in_agreement_order(sent)] == [
        [1, 1],
        [2],
        [3],
        [1],
    ]
    assert list(in_agreement_order([])) == []


OWED = CustomerBalance(Decimal(12), Decimal(2))


def test_documents_take_their_ids_from_what_causes_them():
    first, second = billed_alone([closed(), closed(revision=2)], reference_data())
    invoice = issue(first, "INV-2025-000001", OWED, NOW)
    assert invoice.id == issue(first, "another", CustomerBalance(), NOW).id
    assert invoice.id != issue(second, "", CustomerBalance(), NOW).id
    assert invoice.amount_due == invoice.total + 12
    note = cancel(invoice, "CN-2025-000001", second, {}, NOW)
    assert (note.invoice_id, note.total, note.lines) == (invoice.id, invoice.total, invoice.lines)
    assert note.reason == "replaced by revision 2 of its period"


NUMBERS = [
    (datetime(2025, 12, 31, 23, 59, tzinfo=UTC), 1, "INV-2025-000001"),
    (datetime(2026, 1, 1, tzinfo=UTC), 123, "INV-2026-000123"),
    (datetime.fromisoformat("2026-01-01T00:30:00+01:00"), 999_999, "INV-2025-999999"),
    (datetime(2026, 6, 1, tzinfo=UTC), 1_000_000, "INV-2026-1000000"),
]


@pytest.mark.parametrize(("at", "serial", "number"), NUMBERS)
def test_numbers_tell_their_year(at, serial, number):
    assert numbered(series_of("INV", at), serial) == number


def test_the_prices_of_a_day_in_another_zone_than_the_last_are_missing():
    """Laid out by the same clock, they would fall between the others."""
    days = [
        PriceDay(date(2025, 3, 1), "Asia/Kolkata", 60, "EUR", 1, (Decimal(9),) * 24),
        PriceDay(date(2025, 3, 2), "Europe/Berlin", 60, "EUR", 2, (Decimal(1),) * 24),
        PriceDay(date(2025, 3, 3), "Europe/Berlin", 60, "EUR", 3, (Decimal(2),) * 24),
    ]
    versioned = versioned_series(days)
    assert versioned.versions == {date(2025, 3, 2): 2, date(2025, 3, 3): 3}
    assert versioned.series.prices.tolist() == [10**8] * 24 + [2 * 10**8] * 24
