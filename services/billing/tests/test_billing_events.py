"""Events: what they state, and what is refused as impossible."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from document_facts import SELLER, png
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.credit_notes import CreditNote
from gridtally.billing.domain.daily_costs import DailyCost, newest_flows
from gridtally.billing.domain.invoices import Invoice
from gridtally.billing.events.agreements import agreement_changed
from gridtally.billing.events.daily_costs import cost_rolled_up, flow_usage
from gridtally.billing.events.invoices import credit_note_issued, invoice_issued
from gridtally.billing.events.json_form import canonically_encoded
from gridtally.billing.events.periods import closed_period, pack_usage, unpack_usage
from gridtally.billing.events.reference_data import check_balances, check_prices
from gridtally.billing.events.sellers import seller_changed
from gridtally.contracts.accounts import AccountChanged, CurrencyBalance
from gridtally.contracts.catalogue import PricesPublished
from gridtally.contracts.commerce import (
    AgreementChanged,
    CostRolledUp,
    CreditNoteIssued,
    InvoiceIssued,
    InvoiceVoided,
)
from gridtally.contracts.envelope import Envelope
from gridtally.contracts.metering import PeriodClosed, Series, UsageRecorded
from gridtally.contracts.sellers import SellerChanged
from gridtally.documents.published_sellers import published_seller
from gridtally.kernel.chain import canonical
from gridtally.kernel.errors import Poison
from gridtally.kernel.periods import Period
from gridtally.kernel.resources import Cause, Stored
from gridtally.messaging import ReceivedMessage
from gridtally.rating.engine.lines import DataQuality, Item, Line
from gridtally.rating.quantity_steps import QuantityRounding
from gridtally.rating.recorded import energy_of
from gridtally.rating.usage import MISSING

A, B, C = (UUID(int=n) for n in (1, 2, 3))
NOW = datetime(2025, 4, 2, 10, 30, tzinfo=UTC)
MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
SLOTS = MARCH.slots("Europe/Berlin", 60)
amounts = st.decimals(-(10**9), 10**9, places=6, allow_nan=False)


def line(quantity, amount):
    rounding = QuantityRounding(Decimal("0.01"), minutes=30)
    item = Item(
        "energy", "energy", "peak", "import", "kWh", Decimal("1E+2"), A, MARCH, None, "x", rounding
    )
    return Line(item, quantity, amount * 100, amount, DataQuality("missing", missing_intervals=2))


def received(event, tenant="acme"):
    envelope = Envelope(uuid4(), event.TOPIC, "test", NOW, tenant, "c")
    return ReceivedMessage(event, envelope, event.TOPIC, 0, 0, "", event.model_dump_json().encode())


def same_as_model(message, model):
    """What was encoded by hand is what the model would have encoded."""
    assert message.topic == model.TOPIC
    value = json.loads(message.value)
    event = model.model_validate(value)
    assert json.loads(event.model_dump_json()) == value
    assert message.key == f"acme:{event.key()}"
    return event


@given(quantity=amounts, amount=amounts)
def test_documents_are_encoded_as_by_their_models(quantity, amount):
    lines = [line(quantity, amount)] * 2
    shared = {
        "tenant_id": "acme", "customer_id": B, "agreement_id": C, "currency": "EUR",
        "lines": lines, "net": amount, "tax": quantity, "total": amount + quantity,
        "issued_at": NOW, "correlation_id": "c",
    }  # fmt: skip
    invoice = Invoice(
        id=A,
        number="INV-2025-000001",
        meter_id=B,
        start_on=MARCH.start_on,
        end_on=MARCH.end_on,
        revision=1,
        restatement=2,
        brought_forward=Decimal("12.30"),
        arrears=Decimal("2.30"),
        quality=DataQuality("estimated", 3, 1, 0, Decimal("1.5"), Decimal("0.25")),
        proof_root="5f" * 32,
        approved_by="key",
        approved_at=NOW,
        **shared,
    )
    event = same_as_model(invoice_issued(invoice), InvoiceIssued)
    assert (event.total, event.issued_at) == (amount + quantity, NOW)
    note = CreditNote(
        id=B, number="CN-2025-000001", invoice_id=A, invoice_number=invoice.number,
        reason="why", **shared,
    )  # fmt: skip
    issued, voided = credit_note_issued(note)
    assert same_as_model(issued, CreditNoteIssued).lines == event.lines
    assert same_as_model(voided, InvoiceVoided).credit_note_id == note.id
    assert len({message.envelope.event_id for message in (issued, voided)}) == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_what_is_hashed_is_spelled_as_a_verifier_spells_it(value):
    assert canonically_encoded(value) == canonical(value)


@given(net=amounts, tax=amounts)
def test_costs_are_encoded_as_by_their_model(net, tax):
    cost = DailyCost(
        tenant_id="acme", meter_id=A, day=MARCH.start_on, agreement_id=B, tariff_version_id=C,
        usage_version=3, prices_version=0, import_wh=2**40, export_wh=0, currency="EUR",
        net=net, tax=tax, gross=net + tax, correlation_id="c",
    )  # fmt: skip
    event = same_as_model(cost_rolled_up(cost, NOW), CostRolledUp)
    assert (event.import_wh, event.gross) == (2**40, net + tax)
    again = cost_rolled_up(cost, NOW).envelope.event_id
    assert again == cost_rolled_up(cost, NOW).envelope.event_id
    for other in ({"tariff_version_id": A}, {"prices_version": 1}):
        assert again != cost_rolled_up(replace(cost, **other), NOW).envelope.event_id


def test_an_agreement_is_published_with_all_its_fields():
    agreement = Agreement(
        A,
        B,
        C,
        A,
        MARCH.start_on,
        None,
        "bill_present",
        48,
        3,
        billing_starts_on=MARCH.end_on,
        back_billing_months=24,
    )
    message = agreement_changed(agreement, Cause("acme", "key", "c"), NOW)
    event = same_as_model(message, AgreementChanged)
    assert (event.agreement_id, event.closing, event.version) == (A, "bill_present", 3)
    again = agreement_changed(agreement, Cause("acme", "key", "c"), NOW + timedelta(seconds=1))
    assert again.envelope.event_id != message.envelope.event_id


@given(st.lists(st.none() | st.integers(0, 2**31 - 1)))
def test_evidence_unpacks_to_what_was_packed(values):
    series = [Series(flow="import", minutes=15, values=values, quality="A" * len(values))]
    assert unpack_usage(pack_usage(series)) == series


def period_closed(**changes):
    series = {"flow": "import", "minutes": 60, "values": [1] * SLOTS, "quality": "A" * SLOTS}
    fields = {
        "agreement_id": A, "meter_id": B, "zone": "Europe/Berlin", "start_on": MARCH.start_on,
        "end_on": MARCH.end_on, "revision": 1, "closed_by": "complete", "closed_at": NOW,
        "expected_intervals": SLOTS, "present_intervals": SLOTS, "digest": "0" * 64,
        "series": [series | changes.pop("series", {})] * changes.pop("times", 1),
    }  # fmt: skip
    return PeriodClosed(**(fields | changes))


IMPOSSIBLE = [
    ("too few values", period_closed(series={"values": [1]})),
    ("quality of another length", period_closed(series={"quality": "A"})),
    ("too much for an interval", period_closed(series={"values": [2**31] * SLOTS})),
    ("a flow twice", period_closed(times=2)),
    ("ends before it begins", period_closed(end_on=MARCH.start_on)),
    ("too long", period_closed(end_on=date(2035, 1, 1))),
    ("before all calendars", period_closed(start_on=date.min, end_on=date(1, 2, 1))),
    ("after all calendars", period_closed(start_on=date(9999, 12, 1), end_on=date.max)),
    (
        "hours do not fill a day of 23.5 hours",
        period_closed(
            zone="Australia/Lord_Howe", start_on=date(2025, 10, 5), end_on=date(2025, 10, 6)
        ),
    ),
]


@pytest.mark.parametrize(
    "event", [case[1] for case in IMPOSSIBLE], ids=[case[0] for case in IMPOSSIBLE]
)
def test_a_period_that_contradicts_itself_is_poison(event):
    with pytest.raises(Poison):
        closed_period(received(event))


def test_a_period_keeps_its_message_for_later():
    message = received(period_closed(series={"values": [None] + [7] * (SLOTS - 1)}))
    closed = closed_period(message)
    assert closed.event == message.value
    assert closed.series["import"].tolist() == [MISSING] + [7] * (SLOTS - 1)
    with pytest.raises(Poison):
        closed_period(message._replace(event=None, value=None))


def usage(version, values, day=date(2025, 3, 30)):
    return received(
        UsageRecorded(
            meter_id=A, flow="import", day=day, zone="Europe/Berlin", minutes=60,
            version=version, values=values, quality="A" * len(values), recorded_at=NOW,
        )
    )  # fmt: skip


def test_only_the_newest_usage_of_a_batch_counts():
    batch = [usage(1, [1] * 23), usage(3, [3] * 23), usage(2, [2] * 23)]
    (newest,) = newest_flows(map(flow_usage, batch))
    assert newest.key == ("acme", A, date(2025, 3, 30), "import")
    assert (newest.minutes, newest.version) == (60, 3)
    assert np.frombuffer(newest.energy, "<i4").tolist() == [3] * 23


@pytest.mark.parametrize(
    "message",
    [
        usage(1, [1] * 24),
        usage(1, [2**31] * 23),
        usage(1, [1] * 24, day=date.min),
        usage(1, [1] * 24, day=date.max),
    ],
)
def test_a_day_that_contradicts_itself_is_poison(message):
    with pytest.raises(Poison):
        flow_usage(message)
    with pytest.raises(Poison):
        flow_usage(message._replace(event=None))


def test_missing_is_not_zero():
    assert energy_of([None, 0]).tolist() == [MISSING, 0]


def prices_published(prices, **changes):
    fields = {
        "series_id": A, "code": "DE-LU", "currency": "EUR", "zone": "Europe/Berlin",
        "day": date(2025, 3, 30), "minutes": 60, "version": 1, "prices": prices,
        "published_at": NOW,
    }  # fmt: skip
    return PricesPublished(**(fields | changes))


def test_prices_that_fill_their_day_are_taken():
    check_prices(prices_published(["-999999.99999999", None, *["0.1"] * 21]))


@pytest.mark.parametrize(
    "event",
    [
        prices_published(["0.1"] * 24),
        prices_published(["0.1"] * 200),
        prices_published(["1000000", *["0.1"] * 22]),
        prices_published(["0.123456789", *["0.1"] * 22]),
        prices_published(["0.1"] * 24, day=date.min),
        prices_published(["0.1"] * 24, day=date.max),
    ],
    ids=["of a longer day", "of many days", "too high", "too fine", "first day", "last day"],
)
def test_prices_that_no_bill_can_use_are_poison(event):
    with pytest.raises(Poison):
        check_prices(event)


def test_balances_that_contradict_themselves_are_poison():
    amounts = dict.fromkeys(("balance", "receivable", "arrears", "prepaid", "export_payable"), 0)
    euros, dollars = (CurrencyBalance(currency=code, **amounts) for code in ("EUR", "USD"))
    changed = AccountChanged(customer_id=A, balances=[euros, dollars], as_of=NOW, version=1)
    check_balances(changed)
    with pytest.raises(Poison):
        check_balances(changed.model_copy(update={"balances": [euros, dollars, euros]}))


def test_a_letterhead_is_read_as_it_was_published():
    """By whoever reads it, also of JSON."""
    seller = replace(SELLER, logo=png(3, 2))
    message = seller_changed("acme", Stored(seller, 4, NOW, NOW))
    event = SellerChanged.model_validate_json(message.value)
    assert event.version == 4
    assert published_seller(event.model_dump()) == seller
    assert published_seller(json.loads(message.value)) == seller
