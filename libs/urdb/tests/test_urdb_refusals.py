"""URDB records that are refused, with the path of each fault, and what is taken for a record."""

import json
import re
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Rejected
from gridtally.rating.document import tariff_version
from gridtally.urdb import import_record, looks_like_urdb

RECORDS = sorted((Path(__file__).parent / "records").glob("*.json"))
FLAT = [[0] * 24] * 12
ENERGY = {
    "energyratestructure": [[{"rate": Decimal("0.1"), "unit": "kWh"}]],
    "energyweekdayschedule": FLAT,
    "energyweekendschedule": FLAT,
}
TWO = [[{"rate": Decimal("0.1")}], [{"rate": Decimal("0.2"), "adj": Decimal("0.05")}]]


def imported(record, **options):
    return import_record(record, zone="America/New_York", **options)


@pytest.mark.parametrize(
    ("record", "detail"),
    [
        ({}, "charges nothing"),
        ([], "holds 0 rates"),
        (3, "must be a URDB record"),
        ("hello", "is a text and no URDB record"),
        ({"items": []}, "holds 0 rates"),
        ({"items": [ENERGY, ENERGY]}, "holds 2 rates"),
        ({"label": "x"}, "charges nothing"),
        (ENERGY | {"energyratestructure": 3}, "/energyratestructure: must be a list"),
        (ENERGY | {"energyratestructure": [[3]]}, "/energyratestructure: must be a list"),
        (ENERGY | {"energyratestructure": [[]]}, "/energyratestructure/0: a period without a tier"),
        (ENERGY | {"energyweekdayschedule": FLAT[:11]}, "must be 12 months of 24 hours"),
        (ENERGY | {"energyweekdayschedule": [[0] * 23] * 12}, "must be 12 months of 24 hours"),
        (ENERGY | {"energyweekdayschedule": [[7] * 24] * 12}, "7 is none of the 1 periods"),
        (ENERGY | {"energyweekdayschedule": [[-1] * 24] * 12}, "-1 is none of the 1 periods"),
        (ENERGY | {"energyweekdayschedule": [["x"] * 24] * 12}, "'x' is not a number"),
        ({"energyratestructure": TWO}, "/energyweekdayschedule: is needed"),
        (ENERGY | {"energyratestructure": [[{"rate": "much"}]]}, "0/rate: 'much' is not a number"),
        (ENERGY | {"energyratestructure": [[{"rate": True}]]}, "true is not a number"),
        (ENERGY | {"energyratestructure": [[{"rate": float("nan")}]]}, "nan is not a number"),
        (ENERGY | {"energyratestructure": [[{"rate": 1}, {"rate": 2}]]}, "0/0/max: is needed"),
        (
            ENERGY
            | {"energyratestructure": [[{"rate": 1, "max": 5, "unit": "therm"}, {"rate": 2}]]},
            "'therm' is none of",
        ),
        (
            ENERGY
            | {
                "energyratestructure": [
                    [{"rate": 1, "max": 5, "unit": "kWh"}, {"rate": 2, "unit": "kWh daily"}]
                ]
            },
            "tiers in several units",
        ),
        (
            ENERGY
            | {
                "energyratestructure": [
                    [
                        {"rate": 1, "unit": "kWh"},
                        {"rate": 2, "unit": "kWh/kW"},
                    ]
                ]
            },
            "/energyratestructure/0/0/max: is needed: another tier follows",
        ),
        (ENERGY | {"flatdemandstructure": [[{"rate": 1}], [{"rate": 2}]]}, "/flatdemandmonths"),
        (
            ENERGY | {"flatdemandstructure": [[{"rate": 1}]], "flatdemandmonths": [0] * 11},
            "/flatdemandmonths: must be 12 months",
        ),
        (ENERGY | {"energyratestructure": [[{"rate": 90, "unit": "MWh"}]]}, "'MWh' is none of"),
        (ENERGY | {"fueladjustmentsmonthly": [1] * 11}, "/fueladjustmentsmonthly: must be 12"),
        (ENERGY | {"demandratchetpercentage": [1] * 11}, "/demandratchetpercentage: must be 12"),
        (ENERGY | {"demandratchetpercentage": [120] * 12}, "120 is no fraction"),
        (ENERGY | {"lookbackpercent": -1}, "/lookbackpercent: -1 is no fraction"),
        (ENERGY | {"lookbackmonths": [1]}, "/lookbackmonths: must be 12 months"),
        (ENERGY | {"fixedchargefirstmeter": "free"}, "/fixedchargefirstmeter: 'free' is not"),
    ],
)
def test_a_record_that_is_not_whole_is_refused_with_the_path(record, detail):
    with pytest.raises(Rejected) as refused:
        imported(record)
    assert refused.value.code == "invalid_urdb"
    assert detail in refused.value.detail


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"energyratestructure": None}, "/energyratestructure: is missing: what energy costs"),
        ({"energyratestructure": []}, "/energyratestructure: is missing"),
        ({"energyratestructure": [[{}]]}, "/energyratestructure: has no rate in any tier"),
        ({"energyratestructure": [[{"rate": None}]]}, "has no rate in any tier: what energy"),
        ({"energyratestructure": [[{"sell": 1}]]}, "has no rate in any tier: what energy"),
        ({"coincidentratestructure": [[{"rate": 3}]]}, "/coincidentratestructure: charges the"),
        ({"demandreactivepowercharge": Decimal("0.5")}, "charges 0.5 per kVAR of reactive power"),
        ({"fixedchargefirstmeter": 5, "fixedchargeunits": "$/lamp"}, "fixed charge of 5 in '$/la"),
        (
            {"flatdemandstructure": [[{"rate": 3}]], "flatdemandunit": "hp"},
            "/flatdemandstructure: charges power in hp, not kW or kVA",
        ),
    ],
)
def test_a_record_whose_charges_cannot_all_be_imported_is_refused_unless_accepted(fields, detail):
    """A bill without what energy costs, or without the power at the peak, is no bill."""
    record = ENERGY | {"fixedmonthlycharge": 7} | fields
    with pytest.raises(Rejected) as refused:
        imported(record)
    assert refused.value.code == "incomplete_urdb"
    assert detail in refused.value.detail
    accepted = imported(record, incomplete="accepted")
    assert refused.value.faults[0].detail in [warning.detail for warning in accepted.warnings]


def test_prices_in_a_field_that_nobody_knows_are_refused_in_words():
    tiers = [[{"price": Decimal("0.1"), "unit": "kWh"}]]
    with pytest.raises(Rejected, match=r"0/0/rate: is missing; what is there .* price: 0\.1"):
        imported(ENERGY | {"energyratestructure": tiers}, incomplete="accepted")


def test_a_tier_without_a_rate_among_others_is_warned_of():
    tiers = [[{"rate": Decimal("0.1"), "max": 5}, {"unit": "kWh"}]]
    (warning,) = imported(ENERGY | {"energyratestructure": tiers}).warnings
    assert (warning.field, warning.detail) == (
        "/energyratestructure/0/1/rate",
        "is missing: read as 0",
    )


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        (
            "energy_rates",
            [{"rate": Decimal("0.1")}, {"rate": Decimal("0.2"), "note": None}],
            "is no known field: rate: 0.1; rate: 0.2, note: nothing",
        ),
        ("extra", "two\nlines", "is no known field: 'two lines'"),
        (
            "energyattrs",
            [{"rider": "see page 2"}, {"is_new": True}],
            "free text, which may describe charges: rider: see page 2; is_new: true",
        ),
    ],
)
def test_the_report_shows_values_in_words(field, value, detail):
    (warning,) = imported(ENERGY | {field: value}).warnings
    assert (warning.field, warning.detail) == (field, detail)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 40),
    st.sampled_from([1e38, float("nan"), float("inf"), 10**30, Decimal("0.5"), "7", "x", ""]),
    st.lists(st.integers(-1, 2), max_size=12),
    st.builds(dict),
    st.builds(lambda: [[{}]]),
)


def places_in(value):
    """Every container and key in a JSON value."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places_in(value[key])


@examples(300)
@given(st.data())
def test_a_damaged_record_is_read_or_refused_and_never_breaks(data):
    path = data.draw(st.sampled_from(RECORDS))
    record = json.loads(path.read_text(), parse_float=Decimal)
    entries = [
        (container, key)
        for container, key in places_in(record)
        if not isinstance(container[key], int)
    ]
    for container, key in data.draw(st.lists(st.sampled_from(entries), min_size=1, max_size=2)):
        container[key] = data.draw(ODD)
    try:
        result = imported(record, export=data.draw(st.sampled_from(("left_out", "as_declared"))))
        tariff_version(UUID(int=1), result.document)
    except Rejected as refused:
        assert refused.detail  # noqa: PT017 - both are right answers


@pytest.mark.parametrize(
    ("field", "value", "detail"),
    [
        ("demandwindow", Decimal("15.5"), "/demandwindow: 15.5 is not a whole number"),
        ("lookbackrange", Decimal("1.5"), "/lookbackrange: 1.5 is not a whole number"),
    ],
)
def test_counts_are_whole_numbers(field, value, detail):
    record = ENERGY | {"flatdemandstructure": [[{"rate": 3}]], "lookbackpercent": 1, field: value}
    with pytest.raises(Rejected, match=re.escape(detail)):
        imported(record)


def test_one_of_many_rates_is_named_by_its_label():
    rates = {"items": [ENERGY | {"label": "a", "name": "A"}, ENERGY | {"label": "b", "name": "B"}]}
    assert imported(rates, label="b").name == "B"
    with pytest.raises(Rejected, match="holds 0 rates"):
        imported(rates, label="c")


def test_an_answer_within_a_text_is_read_too():
    inner = json.dumps({"items": [{"name": "A", "energyratestructure": [[{"rate": 0.1}]]}]})
    (energy,) = imported(inner).document["components"]
    assert energy["rate"] == "0.1"


@pytest.mark.parametrize(
    ("document", "urdb"),
    [
        ({"items": []}, True),
        (ENERGY, True),
        ({"energyRateStrux": []}, True),
        ([ENERGY], True),
        ({"currency": "EUR", "zone": "UTC", "components": []}, False),
        ({"currency": "EUR"}, False),
    ],
)
def test_a_record_is_distinguished_from_a_native_tariff(document, urdb):
    assert looks_like_urdb(document) is urdb
