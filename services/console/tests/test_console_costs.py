"""The Cost tab: which days are shown, the seed's figures, and what is said where there are none."""

from datetime import UTC, date, datetime

import pytest

from doubles.console import page, seen, those_that
from gridtally.console.pages.costs import chosen_days, quick_ranges

TODAY = date(2026, 11, 29)
CUSTOMER = {"id": "c1", "name": "Anna Example", "currency": "ZAR", "email": None}
PATH = "/v1/fleet/customers/c1/cost"
MONEY = {"base_cost": "140.00", "vat_amount": "21.00", "total_cost": "161.00"}
TOTALS = {
    "currency": "ZAR", "total_kwh": "56.000", "total_base_cost": "140.00",
    "total_vat_amount": "21.00", "total_cost": "161.00",
}  # fmt: skip
COST = {
    "customer_id": "c1", **TOTALS, "totals": [TOTALS], "buckets": 2, "buckets_without_tariff": 0,
    "daily": [{"date": "2025-03-12", "currency": "ZAR", "kwh": "56.000", **MONEY}],
    "per_device": [
        {"device_id": "d1", "device_name": "Pump", "municipality_name": "Stellenbosch",
         "currency": "ZAR", "kwh": "56.000", **MONEY, "buckets": 2, "buckets_without_tariff": 0}
    ],
}  # fmt: skip
AGREEMENTS = [
    {"id": "a1", "meter_id": "m1", "end_on": None},
    {"id": "a2", "meter_id": "m2", "end_on": "2024-01-01"},
]
PREVIEW = {
    "start_on": "2026-11-01", "end_on": "2026-12-01", "currency": "ZAR",
    "used_until": "2026-11-28T22:00:00Z", "so_far": {"total": "210.40"},
    "forecast": {"total": "233.10", "spread": {"low": "229.00", "high": "241.75", "weeks": 6}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("label", "first", "end"),
    [
        ("Today", date(2026, 11, 29), date(2026, 11, 30)),
        ("Last 7 days", date(2026, 11, 23), date(2026, 11, 30)),
        ("Last 30 days", date(2026, 10, 31), date(2026, 11, 30)),
        ("This month", date(2026, 11, 1), date(2026, 11, 30)),
    ],
)
def test_quick_ranges_end_with_today(label, first, end):
    days = dict(quick_ranges(TODAY))[label]
    assert (days.first, days.end) == (first, end)


@pytest.mark.parametrize(
    ("from_", "to", "count", "fault"),
    [
        ("", "", 7, ""),
        ("2026-11-01", "2026-11-01", 1, ""),
        ("2024-01-01", "2024-12-31", 366, ""),
        ("2024-01-01", "2025-01-01", 7, "At most 366 days at once; these are 367."),
        ("2026-11-02", "2026-11-01", 7, "The last day lies before the first."),
        ("2026-11-02", "", 7, "Give both days, as year-month-day."),
        ("yesterday", "2026-11-01", 7, "Give both days, as year-month-day."),
        ("2026-02-30", "2026-03-01", 7, "Give both days, as year-month-day."),
        ("9999-12-31", "9999-12-31", 7, "Give both days, as year-month-day."),
    ],
)
def test_days_from_a_first_to_a_last(from_, to, count, fault):
    days, said = chosen_days(from_, to, TODAY)
    assert (days.count, said) == (count, fault)


@pytest.fixture
def services():
    billing = {
        "/v1/customers/c1": CUSTOMER,
        "/v1/invoices": page(),
        "/v1/agreements": page(*AGREEMENTS),
        "/v1/agreements/a1/preview": PREVIEW,
        PATH: dict(COST),
        f"{PATH}/hours-without-tariff": page(
            {
                "device_id": "d1", "device_name": "Pump", "from": "2025-03-12T10:00:00Z",
                "to": "2025-03-12T22:00:00Z", "buckets": 12, "kwh": "6.000",
                "reason": "no_region", "detail": "the site is in no region",
            }
        ),
    }  # fmt: skip
    return those_that(billing=billing)


async def shown(services, query=""):
    return await seen(services, f"/customers/c1/cost{query}")


async def test_the_seeds_figures_stand_on_the_cards_and_in_both_tables(services):
    answer, text = await shown(services)
    assert answer.status_code == 200
    assert "Total energy 56 kWh" in text
    assert "Base cost 140.00 ZAR" in text
    assert "VAT 21.00 ZAR" in text
    assert "Total cost 161.00 ZAR" in text
    assert "12 Mar 2025 56 140.00 21.00 161.00 ZAR" in text
    assert "Pump Stellenbosch 56 140.00 21.00 161.00 ZAR" in text
    assert "Monthly fixed charges are not included" in text
    assert "have no tariff" not in text
    assert text.count("161.00 ZAR") == 5  # card, a row and the sum of each table


async def test_the_last_seven_days_are_asked_for_at_first(services):
    await shown(services)
    windows = [
        (request.url.params["from"], request.url.params["to"])
        for request in services["billing"].asked
        if request.url.path == PATH
    ]
    (first, end), (earlier, before) = [
        [datetime.fromisoformat(text) for text in window] for window in windows
    ]
    assert (end - first).days == (before - earlier).days == 7
    assert before == first
    assert first < datetime.now(UTC) < end


async def test_hours_without_a_tariff_are_counted_and_named(services):
    services["billing"].answers[PATH] |= {"buckets_without_tariff": 12, "buckets": 20}
    _, text = await shown(services)
    assert "12 hours of 20 have no tariff" in text
    assert "its site is in no region" in text


async def test_without_readings_it_says_how_they_come(services):
    nothing = {"buckets": 0, "daily": [], "per_device": []}
    services["billing"].answers[PATH] |= nothing
    _, text = await shown(services)
    assert "No readings" in text
    assert "Monthly fixed charges are not included" in text


async def test_too_many_days_are_refused_at_the_field_with_what_was_entered(services):
    answer, text = await shown(services, "?from=2024-01-01&to=2025-01-01")
    assert answer.status_code == 422
    assert "At most 366 days at once; these are 367." in text
    assert 'value="2025-01-01"' in answer.text
    assert 'aria-invalid="true"' in answer.text


async def test_an_exact_amount_is_shown_to_the_cent_with_its_digits_behind(services):
    services["billing"].answers[PATH]["per_device"][0]["total_cost"] = "161.00499"
    answer, text = await shown(services)
    assert "161.00 ZAR" in text
    assert 'value="161.00499"' in answer.text


async def test_the_next_invoice_of_each_agreement_in_force_is_previewed(services):
    _, text = await shown(services)
    assert "Next invoices" in text
    assert "A preview, and no invoice" in text
    assert "210.40 ZAR 233.10 ZAR 229.00 – 241.75" in text
    asked = [request.url.path for request in services["billing"].asked]
    assert "/v1/agreements/a1/preview" in asked
    assert "/v1/agreements/a2/preview" not in asked


async def test_a_preview_that_is_refused_says_why_in_its_row(services):
    del services["billing"].answers["/v1/agreements/a1/preview"]
    answer, text = await shown(services)
    assert answer.status_code == 200
    assert "Next invoices" in text
    assert "233.10" not in text
    assert "161.00 ZAR" in text
