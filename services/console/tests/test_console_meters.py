"""A meter in the console: which days are whole, which are flagged, and what it noted of itself."""

import pytest

from doubles.console import page, seen, those_that

METER = {
    "id": "m1", "property_id": "p1", "name": "Cellar", "meter_type": "main", "is_derived": False,
    "registers": [], "version": 1, "updated_at": "2025-03-01T00:00:00Z",
    "channels": [{"flow": "import", "minutes": 60, "interval_wh_max": 10_000}],
}  # fmt: skip
DAY = {"flow": "import", "present": 24, "expected": 24, "estimated": 0, "substituted": 0,
       "version": 2}  # fmt: skip
EVENT = {
    "id": "e1", "meter_id": "m1", "kind": "terminal_cover_opened", "severity": "tamper",
    "happened_at": "2025-03-03T10:07:00Z", "detail": "code <40>", "source": "urn:hes",
    "recorded_at": "2025-03-03T10:08:00Z",
}  # fmt: skip


def series(_query):
    days = ["2025-03-02T23:00:00Z", "2025-03-03T23:00:00Z"]
    return {"starts_at": days, "values_wh": [2_400, 1_200], "zone": "Europe/Berlin"}


async def shown(events):
    ingest = {
        "/v1/meters/m1": {"zone": "Europe/Berlin", "channels": METER["channels"]},
        "/v1/meters/m1/series": series,
        "/v1/meters/m1/completeness": {
            "days": [
                DAY | {"day": "2025-03-03", "flags": ["tamper", "register_sum"]},
                DAY | {"day": "2025-03-04", "flags": []},
            ]
        },
        "/v1/device-events": events,
    }
    ledger = {
        "/v1/meters/m1": METER,
        "/v1/properties/p1": {"id": "p1", "name": "Home", "zone": "Europe/Berlin"},
    }
    services = those_that(ingest=ingest, ledger=ledger)
    answer, text = await seen(services, "/meters/m1?from=2025-03-03&to=2025-03-05")
    assert answer.status_code == 200
    return answer.text, text, services["ingest"].asked


async def test_days_that_rules_flag_and_what_the_meter_noted_are_shown():
    html, text, asked = await shown(page(EVENT))
    assert "2 Mar" not in text
    assert html.count("tamper, register sum") == 2  # over the day's mark, and in the table of days
    for said in ("terminal cover opened", "3 Mar 2025, 10:07 UTC", "code &lt;40&gt;", "urn:hes"):
        assert said in text, said
    [query] = [dict(own.url.params) for own in asked if own.url.path == "/v1/device-events"]
    assert (query["meter_id"], query["from"], query["to"]) == (
        "m1", "2025-03-03T00:00:00+01:00", "2025-03-05T00:00:00+01:00"
    )  # fmt: skip


@pytest.mark.parametrize(("events", "said"), [(page(), "has sent no event"), (None, "No such")])
async def test_a_meter_that_noted_nothing_and_one_whose_events_are_away(events, said):
    _, text, _ = await shown(events)
    assert said in text
