"""Portal tariffs as native ones: what is charged, what is refused, and what is reported."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.portal_tariffs import import_portal_tariff

DOCUMENTS = Path(__file__).parent / "documents"
BUSINESS = json.loads((DOCUMENTS / "business_time_of_use.json").read_text())
WORKDAYS = ["mon", "tue", "wed", "thu", "fri"]
ALL_DAY = [{"from": "00:00", "to": "24:00"}]


def component(charge_id="energy", value="30", **fields):
    entry = {"value": value}
    return {"id": charge_id, "unit": "c/kWh", "rate_schedule": [entry]} | fields


def portal(*components, **fields):
    known = {"currency": "EUR", "zone": "Europe/Berlin"}
    return known | {"components": list(components) or [component()]} | fields


def band(name="peak", days=None, times=None, **fields):
    own = {"id": name, "days": days or WORKDAYS, "times": times or ALL_DAY}
    return own | fields


def span(start, end):
    return [{"from": start, "to": end}]


def test_each_component_becomes_a_component_of_the_same_id():
    charges = import_portal_tariff(BUSINESS).document["components"]
    assert [charge["id"] for charge in charges] == [
        "energy-peak", "energy-off-peak", "market-operator", "standing",
    ]  # fmt: skip
    peak, off_peak, operator, standing = charges
    assert peak["bands"] == [{"name": "peak", "rate": "0.30"}, {"name": "other", "rate": "0"}]
    assert [rate["name"] for rate in off_peak["bands"]] == ["night", "weekend", "other"]
    assert operator == {
        "id": "market-operator", "kind": "energy", "rate": "0.0005", "payee": "Grid Operator",
    }  # fmt: skip
    assert standing == {"id": "standing", "kind": "fixed", "rate": "9.30", "per": "month"}


def test_a_component_in_all_bands_has_no_other_hours():
    bands = [band("work"), band("rest", ["weekends"])]
    imported = import_portal_tariff(
        portal(component(time_bands=["work", "rest"]), time_bands=bands)
    )
    (charge,) = imported.document["components"]
    assert [rate["name"] for rate in charge["bands"]] == ["work", "rest"]
    assert "default_band" not in charge
    assert imported.document["calendar"]["day_types"] == [
        {"name": "weekday", "weekdays": WORKDAYS},
        {"name": "weekend", "weekdays": ["sat", "sun"]},
    ]
    assert imported.notes == ()


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (31, "0.31"),
        (31.5, "0.315"),
        ("31.50", "0.3150"),
        (Decimal("0.123456"), "0.00123456"),
        ("1e3", "10"),
        (-4, "-0.04"),
        (0, "0"),
        ("12345678.1234567", "123456.78123457"),  # more than 6 decimals: rounded, and reported
    ],
)
def test_cents_are_hundredths_of_the_currency(value, rate):
    imported = import_portal_tariff(portal(component(value=value)))
    (charge,) = imported.document["components"]
    assert Decimal(charge["rate"]) == Decimal(rate)
    rounded = [note for note in imported.notes if "more than 6 decimals" in note.detail]
    assert len(rounded) == (value == "12345678.1234567")


@pytest.mark.parametrize(
    ("unit", "kind", "per"),
    [
        ("c/kWh", "energy", None),
        ("cents per kWh", "energy", None),
        ("ct/kWh", "energy", None),
        ("cents_per_kwh", "energy", None),
        ("c/day", "fixed", "day"),
        ("cents per month", "fixed", "month"),
        ("c/year", "fixed", "year"),
    ],
)
def test_a_unit_says_what_a_value_is_for(unit, kind, per):
    beside = portal(component(unit=unit))
    within = portal({"id": "energy", "rate_schedule": [{"value": "30", "unit": unit}]})
    for document in (beside, within):
        (charge,) = import_portal_tariff(document).document["components"]
        assert (charge["kind"], charge.get("per")) == (kind, per)


def test_what_the_document_leaves_open_is_reported():
    """No unit, a band without days or times, 23:59, times across midnight of some days."""
    bands = [
        {"name": "Off peak", "days": ["sat", "sun"]},
        band("day", times=span("06:00", "23:00")),
        band("night", times=span("23:00", "06:00")),
    ]
    charge = component("a", time_bands=["Off peak", "day", "night"])
    del charge["unit"]
    imported = import_portal_tariff(portal(charge, time_bands=bands))
    assert [(note.kind, note.path) for note in imported.notes] == [
        ("convention", "/time_bands/0/times"),
        ("convention", "/time_bands/0/id"),
        ("convention", "/time_bands/2/times"),
        ("convention", "/components/0/unit"),
    ]
    assert imported.warnings == []
    (charge,) = imported.document["components"]
    assert [rate["name"] for rate in charge["bands"]] == ["Off-peak", "day", "night"]
    late = [band("evening", times=[*span("00:00", "18:00"), *span("18:00", "23:59")])]
    evening = import_portal_tariff(portal(component(time_band="evening"), time_bands=[
        late[0] | {"days": ["all"]}
    ]))  # fmt: skip
    assert [note.detail for note in evening.notes] == ["23:59: read as midnight"]


def test_fields_that_nobody_knows_are_warnings_wherever_they_stand():
    entry = {"value": 30, "min_kwh": 100}
    charge = component(rate_schedule=[entry], gst=True, time_band="peak", name="Energy")
    time = {"from": "00:00", "to": "24:00", "season": "summer"}
    bands = [band(days=["all"], times=[time], holidays=[])]
    imported = import_portal_tariff(
        portal(charge, time_bands=bands, vat={"rate": 20}, id="T1", nothing=None)
    )
    assert {(note.path, note.detail) for note in imported.warnings} == {
        ("/time_bands/0/times/0/season", "is no known field: 'summer'"),
        ("/time_bands/0/holidays", "is no known field: a list of 0 entries"),
        ("/components/0/rate_schedule/0/min_kwh", "is no known field: 100"),
        ("/components/0/gst", "is no known field: true"),
        ("/vat", "is no known field: an object with rate"),
        ("/nothing", "is no known field: nothing"),
    }
    assert {note.path for note in imported.notes if note.kind == "descriptive"} == {
        "/components/0/name", "/id",
    }  # fmt: skip


ONE_BAND = [band(days=["all"])]
OF_ONE_BAND = component(time_band="peak")

REFUSED = [
    ("a list", [], "", "must be an object, not a list of 0 entries"),
    ("no components", {"currency": "EUR", "zone": "Europe/Berlin"}, "/components", "is missing"),
    ("empty components", portal(components=[]), "/components", "must be a list of 1 to 100"),
    ("a component that is a text", portal("x"), "/components/0", "must be an object, not 'x'"),
    ("no id", portal({"rate_schedule": [{"value": 1}]}), "/components/0/id", "is missing"),
    ("an id with a space", portal(component("a b")), "/components/0/id", "ids are not changed"),
    ("an id that is a number", portal(component(7)), "/components/0/id", "7 must be a text"),
    ("a kept id", portal(component("rounding")), "/components/0/id", "is kept for the line"),
    ("an id twice", portal(component(), component()), "/components/1/id", "'energy' too"),
    ("no rate", portal({"id": "a"}), "/components/0/rate_schedule", "is missing: what it costs"),
    (
        "an empty schedule", portal(component(rate_schedule=[])),
        "/components/0/rate_schedule", "must be a list of 1",
    ),
    (
        "no value", portal(component(rate_schedule=[{}])),
        "/components/0/rate_schedule/0/value", "is missing: cents",
    ),
    (
        "a value in words", portal(component(value="dear")),
        "/components/0/rate_schedule/0/value", "'dear' is not a number",
    ),
    (
        "a value that is true", portal(component(value=True)),
        "/components/0/rate_schedule/0/value", "true is not a number",
    ),
    (
        "a value that is not finite", portal(component(value=float("nan"))),
        "/components/0/rate_schedule/0/value", "nan is not a number",
    ),
    (
        "a value out of all bounds", portal(component(value="1e12")),
        "/components/0/rate_schedule/0/value", "must be below 100000000000 cents",
    ),
    (
        "two units", portal(component(rate_schedule=[{"value": 1, "unit": "c/day"}])),
        "/components/0/rate_schedule/0/unit", "says something else than /components/0/unit",
    ),
    ("a payee that is none", portal(component(payee=3)), "/components/0/payee", "not 3"),
    ("half a letter", portal(component(payee="\ud800")), "/components/0/payee", "not '?'"),
    ("an unprintable payee", portal(component(payee="a\0b")), "/components/0/payee", "characters"),
    ("an empty payee", portal(component(payee=" ")), "/components/0/payee", "1 to 100 characters"),
    (
        "a band that is nowhere", portal(component(time_band="peak")),
        "/components/0/time_band", "'peak' is the id or name of no time band",
    ),
    (
        "a band twice", portal(component(time_bands=["peak", "peak"]), time_bands=ONE_BAND),
        "/components/0/time_bands/1", "is there twice",
    ),
    (
        "two bands in two fields", portal(
            component(band="peak", time_band="off"), time_bands=[band(days=["all"])]
        ),
        "/components/0/band", "says something else than /components/0/time_band",
    ),
    (
        "a standing charge in a band",
        portal(component(unit="c/month", time_band="peak"), time_bands=ONE_BAND),
        "/components/0", "a charge per month has no time band",
    ),
    ("no zone", portal(zone=None), "/zone", "is not in the document: name it (--zone)"),
    ("no currency", portal(currency=None), "/currency", "name it (--currency)"),
    ("an unknown zone", portal(zone="Mars"), "/zone", "is not an IANA time zone"),
    ("two zones", portal(timezone="Europe/Paris"), "/timezone", "something else than /zone"),
    ("no currency code", portal(currency="euro"), "/currency", "no currency code"),
    ("a currency without cents", portal(currency="JPY"), "/currency", "JPY has no cents"),
    (
        "bands that overlap",
        portal(OF_ONE_BAND, time_bands=[band(days=["all"]), band("x", times=span("6:00", "8:30"))]),
        "/time_bands/1", "together with /time_bands/0 on mon to fri 06:00–08:30",
    ),
    (
        "times that overlap", portal(OF_ONE_BAND, time_bands=[
            band(days=["all"], times=[*ALL_DAY, *span("22:00", "02:00")])
        ]),
        "/time_bands/0", "on mon to sun 00:00–02:00, 22:00–24:00",
    ),
    (
        "a band without a name", portal(time_bands=[{"days": ["all"], "times": ALL_DAY}]),
        "/time_bands/0", "needs an id or a name",
    ),
    (
        "two bands of one name", portal(time_bands=[band(), band(days=["sat", "sun"])]),
        "/time_bands/1", "is called as /time_bands/0 is",
    ),
    (
        "a band whose name has no letter", portal(time_bands=[band("!!", days=["all"])]),
        "/time_bands/0", "cannot be a name of a band",
    ),
    (
        "bands by number", portal(time_bands=[band(days=[0, 1])]),
        "/time_bands/0/days/0", "0 is no weekday: write mon",
    ),
    (
        "holidays", portal(time_bands=[band(days=["mon", "holidays"])]),
        "/time_bands/0/days/1", "which days are holidays is not in such a document",
    ),
    (
        "a day twice", portal(time_bands=[band(days=["weekdays", "Friday"])]),
        "/time_bands/0/days/1", "is there twice",
    ),
    (
        "no days", portal(time_bands=[{"id": "a", "days": [], "times": ALL_DAY}]),
        "/time_bands/0/days", "a list of 0 entries",
    ),
    (
        "no times", portal(time_bands=[{"id": "a", "days": ["mon"], "times": []}]),
        "/time_bands/0/times", "a list of 0 entries",
    ),
    (
        "a time without an end", portal(time_bands=[band(times=[{"from": "07:00"}])]),
        "/time_bands/0/times/0/to", "is missing: HH:MM",
    ),
    (
        "25 o'clock", portal(time_bands=[band(times=span("25:00", "26:00"))]),
        "/time_bands/0/times/0/from", "'25:00' is no time: HH:MM",
    ),
    (
        "an hour as a number", portal(time_bands=[band(times=span(7, 9))]),
        "/time_bands/0/times/0/from", "7 is no time: HH:MM",
    ),
    (
        "a time of no length", portal(time_bands=[band(times=span("07:00", "07:00"))]),
        "/time_bands/0/times/0", "07:00 to 07:00 is no time",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "path", "detail"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_what_cannot_be_read_or_only_guessed_at_is_refused(document, path, detail):
    """Also where what is incomplete would be accepted."""
    with pytest.raises(Rejected) as refused:
        import_portal_tariff(document, incomplete="accepted")
    assert refused.value.code == "invalid_portal_tariff"
    details = [fault.detail for fault in refused.value.faults if fault.path == path]
    assert any(detail in text for text in details), refused.value.faults


INCOMPLETE = [
    (
        "hours without a band",
        portal(OF_ONE_BAND, time_bands=[band(times=span("07:00", "22:59"))]),
        "/time_bands", "on mon to fri 00:00–07:00, 22:59–24:00; sat to sun 00:00–24:00",
    ),
    (
        "a second rate", portal(component(rate_schedule=[{"value": 1}, {"value": 2}])),
        "/components/0/rate_schedule", "has 2 entries",
    ),
    (
        "power", portal(component(), component("demand", unit="c/kW/month")),
        "/components/1/unit", "'c/kW/month' is no unit that is imported",
    ),
    (
        "a tax", portal(component(), component("vat", unit="%")),
        "/components/1/unit", "'%' is no unit",
    ),
    (
        "euros", portal(component(), component("fee", unit="EUR/kWh")),
        "/components/1/unit", "'EUR/kWh' is no unit",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "path", "detail"),
    [case[1:] for case in INCOMPLETE],
    ids=[case[0] for case in INCOMPLETE],
)
def test_charges_that_are_not_imported_refuse_it_unless_they_are_given_up(document, path, detail):
    with pytest.raises(Rejected) as refused:
        import_portal_tariff(document)
    assert refused.value.code == "incomplete_portal_tariff"
    [fault] = refused.value.faults
    assert (fault.path, detail in fault.detail) == (path, True)
    imported = import_portal_tariff(document, incomplete="accepted")
    assert [note.path for note in imported.warnings] == [path]
    assert len(imported.document["components"]) == 1


def test_a_document_of_which_nothing_is_left_is_refused():
    with pytest.raises(Rejected, match="nothing in it can be charged"):
        import_portal_tariff(portal(component(unit="c/kVA")), incomplete="accepted")


def test_a_band_that_no_component_names_is_a_warning():
    bands = [band("work"), band("rest", ["weekends"])]
    imported = import_portal_tariff(portal(component(time_band="work"), time_bands=bands))
    [warning] = imported.warnings
    assert (warning.kind, warning.path) == ("not_imported", "/time_bands/1")
    assert imported.document["calendar"]["day_types"] == [{"name": "weekday", "weekdays": WORKDAYS}]


def test_the_caller_names_what_the_document_does_not_and_contradicts_nothing():
    document = portal(zone=None, currency=None)
    imported = import_portal_tariff(document, zone="Europe/Paris", currency="CHF")
    assert (imported.document["zone"], imported.document["currency"]) == ("Europe/Paris", "CHF")
    with pytest.raises(Rejected) as refused:
        import_portal_tariff(portal(), zone="Europe/Paris", currency="CHF")
    assert [fault.path for fault in refused.value.faults] == ["/zone", "/currency"]


def test_a_document_of_endless_fields_is_refused():
    with pytest.raises(Rejected, match="more than 1000 fields need a note"):
        import_portal_tariff(portal(**{f"field{number}": 1 for number in range(1001)}))


def test_names_of_any_length_and_form_are_pointed_at():
    imported = import_portal_tariff(portal(**{"a/b~c": 1, "x" * 200: 1, "\ud800": "\ud800"}))
    paths = [note.path for note in imported.warnings]
    assert paths == ["/a~1b~0c", f"/{'x' * 100}…", "/?"]
    assert imported.warnings[-1].detail == "is no known field: '?'"
