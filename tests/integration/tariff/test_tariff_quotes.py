"""Quotes and comparisons by the API: the documents that the command line prints."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integration.tariff.steps import (
    CALENDAR,
    DOCUMENT,
    SERIES,
    TARIFF,
    created,
    drafted,
    events,
    path_of,
    paths,
    problem,
    published,
    published_calendar,
)

DAY = {"start": "2025-01-01T00:00", "minutes": 60, "values": {"import": ["1.5"] * 24}}
"""36 kWh in Berlin."""
SPOT = DOCUMENT | {"components": [{"kind": "spot", "id": "energy", "series": "spot"}]}
TOU = DOCUMENT | {
    "components": [
        {"kind": "fixed", "id": "standing", "rate": "12.50", "per": "month"},
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [{"name": "day", "rate": "0.38"}, {"name": "night", "rate": "0.21"}],
            "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:30"}],
            "default_band": "day",
        },
        {"kind": "capacity", "id": "capacity", "rate": "2"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["standing", "energy"]},
    ]
}


async def quoted(client, path, **body):
    answer = await client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_version_is_quoted_whatever_its_status(clients, catalogue):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    draft = await drafted(acme, home)
    first = await quoted(acme, path_of(draft, "quote"), usage=DAY)
    (period,) = first["periods"]
    assert (first["currency"], period["start"], period["end"]) == (
        "EUR", "2025-01-01", "2025-01-02",
    )  # fmt: skip
    lines = [(line["component_id"], line["quantity"], line["amount"]) for line in period["lines"]]
    assert lines == [("energy", "36.000", "10.80"), ("vat", "10.80000", "2.05")]
    assert (period["totals"]["total"], period["peak_kw"]) == ("12.85", "1.500")
    tariff = {"tariff_id": home["id"], "number": 1}
    await acme.post(path_of(draft, "publish"))
    for answer in (
        await quoted(acme, path_of(draft, "quote"), usage=DAY),
        await quoted(acme, "/v1/quotes", tariff=tariff, usage=DAY),
        await quoted(acme, "/v1/quotes", tariff={"document": DOCUMENT}, usage=DAY),
    ):
        assert answer == first
    assert len(await events(catalogue)) == 1
    other = await clients("other")
    answer = await other.post("/v1/quotes", json={"tariff": tariff, "usage": DAY})
    assert problem(answer) == (404, "tariff_unknown")
    unknown = {"tariff": tariff | {"number": 9}, "usage": DAY}
    assert problem(await acme.post("/v1/quotes", json=unknown)) == (404, "version_unknown")


async def test_a_quote_is_what_the_command_line_prints(clients, tmp_path):
    """Two months of quarter hours through a clock change, by the API and by `gridtally rate`."""
    acme = await clients("acme")
    start_at = datetime(2025, 2, 28, 23, tzinfo=UTC)
    starts = [start_at + timedelta(minutes=15) * n for n in range((31 * 24 - 1 + 30 * 24) * 4)]
    kwh = [f"{n % 97 / 100:.2f}" for n in range(len(starts))]
    rows = [f"{at:%Y-%m-%dT%H:%M},15,{energy}" for at, energy in zip(starts, kwh, strict=True)]
    (tmp_path / "usage.csv").write_text("\n".join(["start_utc,minutes,import_kwh", *rows]))
    (tmp_path / "tariff.json").write_text(json.dumps(TOU))
    command = Path(sys.executable).with_name("gridtally")
    ran = await asyncio.create_subprocess_exec(
        command, "rate", "tariff.json", "usage.csv", "--connected-kw", "7.5", "--json",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await asyncio.wait_for(ran.communicate(), timeout=300)
    assert ran.returncode == 0
    usage = {"start": "2025-03-01T00:00", "minutes": 15, "values": {"import": kwh}}
    body = {"tariff": {"document": TOU}, "usage": usage, "connected_kw": "7.5"}
    answer = await quoted(acme, "/v1/quotes", **body, period="month")
    assert answer == json.loads(printed)
    assert [period["start"] for period in answer["periods"]] == ["2025-03-01", "2025-04-01"]


async def test_a_quote_by_a_calendar_and_for_some_days_of_the_usage(clients):
    acme = await clients("acme")
    calendar = await created(acme, "/v1/calendars", CALENDAR)
    holidays = {"day_types": [{"name": "off", "weekdays": [], "holidays": "included"}],
                "holidays": {"country": "DE"}}  # fmt: skip
    await published_calendar(acme, calendar, holidays)
    named = DOCUMENT | {
        "calendar_id": calendar["id"],
        "components": [
            {
                "kind": "time_of_use",
                "id": "energy",
                "bands": [{"name": "off", "rate": "0.10"}, {"name": "on", "rate": "0.30"}],
                "windows": [{"band": "off", "from_time": "00:00", "to_time": "24:00",
                             "day_types": ["off"]}],
                "default_band": "on",
            }
        ],
    }  # fmt: skip
    three_days = DAY | {"start": "2024-12-31T00:00", "values": {"import": ["1"] * 72}}
    answer = await quoted(
        acme,
        "/v1/quotes",
        tariff={"document": named},
        usage=three_days,
        period={"from": "2025-01-01", "to": "2025-01-03"},
    )
    (period,) = answer["periods"]
    assert {line["band"]: line["amount"] for line in period["lines"]} == {
        "off": "2.40", "on": "7.20",  # New Year's Day, and the day after it
    }  # fmt: skip


async def test_spot_prices_come_with_the_request_or_from_a_stored_series(clients):
    acme = await clients("acme")
    series = await created(acme, "/v1/price-series", SERIES)
    path = f"/v1/price-series/{series['id']}/prices"
    await acme.post(path, json={"days": [{"day": "2025-01-01", "prices": ["0.10"] * 24}]})
    before = (await acme.get(path, params={"from": "2025-01-01", "to": "2025-01-02"})).json()
    await acme.post(path, json={"days": [{"day": "2025-01-01", "prices": ["-0.05"] * 24}]})
    inline = {
        "currency": "EUR",
        "start_at": "2024-12-31T23:00:00Z",
        "minutes": 60,
        "prices": ["0.20"] * 24,
    }
    as_of = {"series_id": series["id"], "as_of": before["items"][0]["recorded_at"]}
    for extra, total in (
        ({}, "-1.80"),
        ({"price_series": {"spot": {"series_id": series["id"]}}}, "-1.80"),
        ({"price_series": {"spot": as_of}}, "3.60"),
        ({"prices": {"spot": inline}}, "7.20"),
        ({"prices": {"spot": inline}, "price_series": {"spot": as_of}}, "7.20"),
    ):
        answer = await quoted(acme, "/v1/quotes", tariff={"document": SPOT}, usage=DAY, **extra)
        assert answer["periods"][0]["totals"]["total"] == total, extra
    late = DAY | {"start": "2025-01-01T12:00"}
    two_days = DAY | {"values": {"import": ["1.5"] * 48}}
    for usage, code in ((two_days, "prices_missing"), (late, "invalid_usage")):
        answer = await acme.post("/v1/quotes", json={"tariff": {"document": SPOT}, "usage": usage})
        assert problem(answer) == (422, code)
    body = {"tariff": {"document": SPOT}, "usage": two_days}
    assert "2025-01-02 00:00 CET" in (await acme.post("/v1/quotes", json=body)).json()["detail"]
    nowhere = {"price_series": {"spot": {"series_id": "00000000-0000-0000-0000-000000000009"}}}
    answer = await acme.post("/v1/quotes", json=body | nowhere)
    assert problem(answer) == (404, "price_series_unknown")
    other = await clients("other")
    answer = await other.post("/v1/quotes", json={"tariff": {"document": SPOT}, "usage": DAY})
    assert problem(answer) == (422, "prices_missing")


async def test_tariffs_are_compared_over_the_same_usage(clients):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    version = await published(acme, home)
    stored = {"tariff_id": home["id"], "number": version["number"]}
    hourly = json.loads(json.dumps(TOU).replace("06:30", "06:00"))
    tariffs = [
        {"name": "tou", "document": hourly},
        stored,
        {"document": json.loads(json.dumps(DOCUMENT).replace("0.30", "0.25"))},
    ]
    answer = await quoted(acme, "/v1/compare", tariffs=tariffs, usage=DAY, connected_kw="1")
    assert (answer["currency"], answer["start"], answer["end"]) == (
        "EUR", "2025-01-01", "2025-01-02",
    )  # fmt: skip
    names = [row["name"] for row in answer["tariffs"]]
    assert names == ["tariffs/2", "home/1", "tou"]
    # 36 kWh at 0.25 and at 0.30, each with 19 % of tax
    assert [row["totals"]["total"] for row in answer["tariffs"]][:2] == ["10.71", "12.85"]
    assert [row["difference"] for row in answer["tariffs"]][:2] == ["0.00", "2.14"]
    alone = await quoted(
        acme, "/v1/quotes", tariff={"document": hourly}, usage=DAY, connected_kw="1"
    )
    assert answer["tariffs"][2]["totals"] == alone["periods"][0]["totals"]
    twice = await acme.post("/v1/compare", json={"tariffs": [stored] * 2, "usage": DAY})
    assert (problem(twice), paths(twice)) == ((422, "duplicate_name"), ["/tariffs/1/name"])
    swiss = {"name": "swiss", "document": DOCUMENT | {"currency": "CHF"}}
    answer = await acme.post("/v1/compare", json={"tariffs": [stored, swiss], "usage": DAY})
    assert problem(answer) == (422, "compare_currencies")


# changes to a good request -> status, code and the paths of the faults
REFUSALS = {
    "no tariff": ({"tariff": {}}, "invalid_request", ["/tariff"]),
    "half a version": ({"tariff": {"number": 1}}, "invalid_request", ["/tariff"]),
    "both": (
        {"tariff": {"document": DOCUMENT, "number": 1}}, "invalid_request", ["/tariff"],
    ),
    "a wrong document": (
        {"tariff": {"document": DOCUMENT | {"zone": "Mars"}}},
        "invalid_tariff",
        ["/tariff/document/zone"],
    ),
    "an unknown calendar": (
        {"tariff": {"document": DOCUMENT | {"calendar_id": "x"}}},
        "invalid_tariff",
        ["/tariff/document/calendar_id"],
    ),
    "floats": (
        {"usage": DAY | {"values": {"import": [1.5] * 24}}},
        "invalid_request",
        [f"/usage/values/import/{n}" for n in range(24)],
    ),
    "negative energy": (
        {"usage": DAY | {"values": {"import": ["-1"]}}},
        "invalid_request",
        ["/usage/values/import/0"],
    ),
    "an unknown flow": (
        {"usage": DAY | {"values": {"wind": ["1"]}}},
        "invalid_request",
        ["/usage/values/wind/[key]"],
    ),
    "seven minutes": ({"usage": DAY | {"minutes": 7}}, "invalid_request", ["/usage/minutes"]),
    "no period": (
        {"period": {"from": "2025-01-02", "to": "2025-01-01"}}, "empty_period", ["/period/to"],
    ),
    "a long period": (
        {"period": {"from": "2020-01-01", "to": "2025-01-01"}}, "long_period", ["/period/to"],
    ),
    "a distant period": (
        {"period": {"from": "9999-12-30", "to": "9999-12-31"}}, "distant_date", ["/period/from"],
    ),
    "a period not covered": (
        {"period": {"from": "2025-01-01", "to": "2025-01-03"}}, "invalid_usage", ["/usage"],
    ),
    "a word for a period": ({"period": "year"}, "invalid_request", ["/period"]),
    "a connected load of -1": ({"connected_kw": "-1"}, "invalid_request", ["/connected_kw"]),
    "a state that is none": (
        {"state": {"energy": {"kind": "mood"}}}, "invalid_state", ["/state/energy/kind"],
    ),
    "an unknown field": ({"discount": "1"}, "invalid_request", ["/discount"]),
    "prices beyond bounds": (
        {
            "tariff": {"document": SPOT},
            "prices": {
                "spot": {
                    "currency": "EUR",
                    "start_at": "2025-01-01T00:00:00Z",
                    "minutes": 60,
                    "prices": ["1000000"],
                }
            },
        },
        "invalid_prices",
        ["/prices/spot"],
    ),
}  # fmt: skip


async def test_a_wrong_request_is_reported_by_the_paths_of_its_faults(clients):
    acme = await clients("acme")
    good = {"tariff": {"document": DOCUMENT}, "usage": DAY}
    for name, (changes, code, expected) in REFUSALS.items():
        answer = await acme.post("/v1/quotes", json=good | changes)
        assert problem(answer) == (422, code), name
        assert paths(answer) == expected, name


async def test_missing_values_are_reported_and_not_counted_as_nothing(clients):
    acme = await clients("acme")
    usage = DAY | {"values": {"import": ["1"] * 23 + [None]}}
    answer = await acme.post("/v1/quotes", json={"tariff": {"document": DOCUMENT}, "usage": usage})
    assert problem(answer) == (422, "values_missing")
    exported = DAY | {"values": {"export": ["1"] * 24}}
    body = {"tariff": {"document": DOCUMENT}, "usage": exported}
    assert problem(await acme.post("/v1/quotes", json=body)) == (422, "flow_missing")


@pytest.mark.parametrize("scope", ["tariff:write", "billing:read"])
async def test_a_quote_needs_the_scope_to_read(clients, scope):
    acme = await clients("acme", scope)
    body = {"tariff": {"document": DOCUMENT}, "usage": DAY}
    assert problem(await acme.post("/v1/quotes", json=body)) == (403, "forbidden")


async def test_three_years_of_quarter_hours_are_quoted_at_once(clients):
    acme = await clients("acme")
    usage = {
        "start": "2022-01-01T00:00",
        "minutes": 15,
        "values": {"load": ["0.25"] * 96 * 1096, "generation": ["0.10"] * 96 * 1096},
    }
    answer = await quoted(acme, "/v1/quotes", tariff={"document": DOCUMENT}, usage=usage)
    assert len(answer["periods"]) == 36
    energy = sum(float(period["lines"][0]["quantity"]) for period in answer["periods"])
    assert round(energy, 3) == round(0.15 * 96 * 1096, 3)
