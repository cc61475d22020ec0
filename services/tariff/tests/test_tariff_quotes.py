"""How intervals as they are sent become usage, and stored prices the engine's."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.prices import PRICE_MISSING
from gridtally.rating.usage import MISSING
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.domain.prices import PriceDay
from gridtally.tariff.domain.quotes import (
    metered_intervals,
    price_series_codes,
    prices_for_rating,
)

BERLIN = "Europe/Berlin"
NEW_YEAR = "2025-01-01T00:00"
FIRST = Period(date(2025, 1, 1), date(2025, 1, 2))


def usages(start, minutes, period="month", zone=BERLIN, connected_kw=None, **values):
    return metered_intervals(zone, start, minutes, values).usages(period, connected_kw)


def refusal(call, *args, **values):
    with pytest.raises(Rejected) as refused:
        call(*args, **values)
    ((fault),) = refused.value.faults
    return fault.path, fault.detail


def test_texts_become_whole_numbers_of_the_finest_unit_among_them():
    values = ["0.25", "1", None, "0.00012"] + ["0"] * 20
    (usage,) = usages(NEW_YEAR, 60, **{"import": values})
    assert usage.kwh_decimals == 5
    assert usage.series["import"].tolist()[:4] == [25_000, 100_000, MISSING, 12]
    (whole,) = usages(NEW_YEAR, 60, **{"import": ["2"] * 24})
    assert (whole.kwh_decimals, whole.series["import"][0]) == (3, 2_000)


def test_load_and_generation_make_import_and_export_interval_by_interval():
    load, generation = ["3", "1", None, "2"], ["1", "1.5", "1", None]
    (usage,) = usages(NEW_YEAR, 60, load=load + ["0"] * 20, generation=generation + ["0"] * 20)
    assert usage.series["import"].tolist()[:4] == [2_000, 0, MISSING, MISSING]
    assert usage.series["export"].tolist()[:4] == [0, 500, MISSING, MISSING]
    (alone,) = usages(NEW_YEAR, 60, load=["3"] * 24)
    assert (alone.series["import"][0], alone.series["export"][0]) == (3_000, 0)


# start, hours, period -> days and intervals of each usage, or the path of the fault
CUTS = {
    "a day": (NEW_YEAR, 24, "month", [("01-01", "01-02", 24)]),
    "two months": (
        "2025-01-31T00:00", 48, "month", [("01-31", "02-01", 24), ("02-01", "02-02", 24)],
    ),
    "a spring day": ("2025-03-30T00:00", 23, "month", [("03-30", "03-31", 23)]),
    "an autumn day": ("2025-10-26T00:00", 25, "month", [("10-26", "10-27", 25)]),
    "from an instant": ("2024-12-31T23:00Z", 24, "month", [("01-01", "01-02", 24)]),
    "one day of three": ("2024-12-31T00:00", 72, FIRST, [("01-01", "01-02", 24)]),
    "the morning lacks": ("2025-01-01T01:00", 23, "month", "/usage"),
    "the evening lacks": (NEW_YEAR, 23, "month", "/usage"),
    "another day": ("2025-01-02T00:00", 24, FIRST, "/usage"),
    "half past": ("2024-12-31T00:30", 72, FIRST, "/usage/start"),
    "no time": ("now", 24, "month", "/usage/start"),
    "a skipped time": ("2025-03-30T02:00", 24, "month", "/usage/start"),
    "long ago": ("1066-10-14T00:00", 24, "month", "/usage/start"),
    "the end of time": ("9999-12-31T00:00", 24, "month", "/usage/start"),
}  # fmt: skip


@pytest.mark.parametrize(("start", "hours", "period", "expected"), CUTS.values(), ids=CUTS)
def test_intervals_are_cut_at_local_midnights(start, hours, period, expected):
    values = {"import": ["1"] * hours}
    if isinstance(expected, str):
        path, _ = refusal(usages, start, 60, period, **values)
        assert path == expected
        return
    cut = usages(start, 60, period, **values)
    assert [
        (
            f"{usage.period.start_on:%m-%d}",
            f"{usage.period.end_on:%m-%d}",
            len(usage.series["import"]),
        )
        for usage in cut
    ] == expected


def test_a_meter_without_any_value_is_missing_all_of_them():
    (usage,) = usages(NEW_YEAR, 60, **{"import": [None] * 24})
    assert usage.series["import"].tolist() == [MISSING] * 24
    assert usage.kwh_decimals == 3


def test_what_lacks_is_counted():
    _, detail = refusal(usages, "2025-01-01T02:00", 60, **{"import": ["1"] * 20})
    assert "2 interval(s) lack before it and 2 after it" in detail


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"import": []},
        {"import": ["1"] * 24, "export": ["1"] * 23},
        {"load": ["1"] * 24, "import": ["1"] * 24},
        {"import": ["1"] * 24 * 1101},
    ],
)
def test_flows_that_do_not_go_together_are_refused(values):
    path, _ = refusal(usages, NEW_YEAR, 60, **values)
    assert path == "/usage/values"


def test_a_connected_load_beyond_bounds_is_refused():
    (usage,) = usages(NEW_YEAR, 60, connected_kw=Decimal("15.5"), **{"import": ["1"] * 24})
    assert usage.connected_kw == Decimal("15.5")
    with pytest.raises(Rejected, match="connected load"):
        usages(NEW_YEAR, 60, connected_kw=Decimal(10**6), **{"import": ["1"] * 24})


@given(st.lists(st.decimals(0, 10**6 - 1, places=3), min_size=24, max_size=24))
def test_no_energy_is_lost_on_the_way_in(energies):
    (usage,) = usages(NEW_YEAR, 60, **{"import": [format(kwh, "f") for kwh in energies]})
    total = Decimal(int(usage.series["import"].sum())).scaleb(-usage.kwh_decimals)
    assert total == sum(energies)


def test_stored_days_become_one_series_with_its_gaps():
    series = PriceSeries(UUID(int=1), "spot", "Spot", "EUR", BERLIN, 60)
    recorded_at = datetime(2025, 1, 1, tzinfo=UTC)
    days = [
        PriceDay(date(2025, 3, 29), 1, (1,) * 23 + (None,), recorded_at, "key"),
        PriceDay(date(2025, 3, 31), 4, (3,) * 24, recorded_at, "key"),
    ]
    rated = prices_for_rating(series, days)
    assert rated.start_at == datetime(2025, 3, 28, 23, tzinfo=UTC)
    assert rated.prices.tolist() == [1] * 23 + [PRICE_MISSING] * 24 + [3] * 24
    assert (rated.currency, rated.minutes, rated.decimals) == ("EUR", 60, 8)
    assert prices_for_rating(series, []) is None


def test_hours_that_half_an_hour_puts_out_of_step_are_no_series():
    """The clocks of Lord Howe Island go back by half an hour on 6 April."""
    series = PriceSeries(UUID(int=1), "spot", "Spot", "AUD", "Australia/Lord_Howe", 60)
    days = [
        PriceDay(date(2025, 4, day), 1, (1,) * 24, datetime(2025, 1, 1, tzinfo=UTC), "key")
        for day in (5, 7)
    ]
    assert len(prices_for_rating(series, days[:1]).prices) == 24
    with pytest.raises(Rejected, match="do not fill 2025-04-06"):
        prices_for_rating(series, days)


def test_a_tariff_names_its_price_series():
    spot = {"kind": "spot", "id": "a", "series": "day-ahead"}
    energy = {"kind": "energy", "id": "b", "rate": "0.1"}
    document = {"currency": "EUR", "zone": BERLIN, "components": [spot, energy]}
    assert price_series_codes([tariff_version(UUID(int=1), document)]) == {"day-ahead"}
