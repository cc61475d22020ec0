"""Tariff documents: read in full, and every fault named by its path."""

import contextlib
import copy
import json
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Rejected
from gridtally.rating.components.time_of_use import TimeOfUse
from gridtally.rating.document import tariff_version

ENERGY = {"kind": "energy", "id": "energy", "rate": "0.30"}
TARIFF = {"currency": "EUR", "zone": "Europe/Berlin", "components": [ENERGY]}
ID = UUID(int=1)


def faults_of(document):
    with pytest.raises(Rejected) as refusal:
        tariff_version(ID, document)
    assert refusal.value.code == "invalid_tariff"
    return {fault.path: fault.detail for fault in refusal.value.faults}


def test_a_document_is_read_with_its_defaults():
    version = tariff_version(ID, json.loads(json.dumps(TARIFF)))
    assert (version.id, version.rounding.decimals) == (ID, 2)
    assert version.components[0].rate == Decimal("0.30")
    assert version.components[0].flow == "import"


@pytest.mark.parametrize(
    ("currency", "rounding", "decimals"),
    [
        ("EUR", {}, 2),
        ("JPY", {}, 0),
        ("KWD", {"rounding": {"mode": "half_up"}}, 3),
        ("JPY", {"rounding": {"decimals": None}}, 0),
        ("JPY", {"rounding": {"decimals": 2}}, 2),
    ],
)
def test_amounts_have_the_decimals_of_their_currency_unless_the_tariff_says_others(
    currency, rounding, decimals
):
    document = TARIFF | {"currency": currency} | rounding
    assert tariff_version(ID, document).rounding.decimals == decimals


def test_null_stands_for_what_may_be_left_out():
    tax_class = {"components": [ENERGY | {"tax_class": None, "payee": None}]}
    assert tariff_version(ID, TARIFF | tax_class).components[0].tax_class is None


def test_windows_have_times_of_day():
    tou = {
        "kind": "time_of_use",
        "id": "tou",
        "bands": [{"name": "night", "rate": "0.1"}, {"name": "day", "rate": "0.2"}],
        "windows": [{"band": "night", "from_time": "22:00", "to_time": "24:00"}],
        "default_band": "day",
    }
    (component,) = tariff_version(ID, TARIFF | {"components": [tou]}).components
    assert isinstance(component, TimeOfUse)
    assert component.windows[0].covers().sum() == 120


@pytest.mark.parametrize(
    ("document", "path", "detail"),
    [
        ({"currency": "EUR", "zone": "UTC"}, "/components", "is required"),
        (TARIFF | {"components": []}, "/components", "1 to 100"),
        (TARIFF | {"components": {}}, "/components", "must be a list"),
        (TARIFF | {"components": [7]}, "/components/0/kind", "None is none of fixed"),
        (TARIFF | {"components": [{"kind": "magic"}]}, "/components/0/kind", "'magic' is none"),
        (TARIFF | {"components": [ENERGY | {"rats": 1}]}, "/components/0/rats", "not a field"),
        (TARIFF | {"components": [ENERGY | {"rate": 0.3}]}, "/components/0/rate", "a string"),
        (TARIFF | {"components": [ENERGY | {"rate": "NaN"}]}, "/components/0/rate", "decimal"),
        (TARIFF | {"components": [ENERGY | {"rate": "0,3"}]}, "/components/0/rate", "decimal"),
        (TARIFF | {"components": [ENERGY | {"rate": "1e9"}]}, "/components/0/rate", "decimal"),
        (
            TARIFF | {"components": [ENERGY | {"rate": "1000000000"}]},
            "/components/0",
            "must be below",
        ),
        (
            TARIFF | {"components": [ENERGY | {"rate": "0.123456789"}]},
            "/components/0",
            "at most 8 decimals",
        ),
        (TARIFF | {"components": [ENERGY | {"flow": "up"}]}, "/components/0/flow", "none of"),
        (TARIFF | {"components": [ENERGY | {"id": ""}]}, "/components/0", "id '' must be"),
        (TARIFF | {"components": [ENERGY | {"id": "rounding"}]}, "/components/0", "is kept for"),
        (TARIFF | {"components": [ENERGY | {"payee": ""}]}, "/components/0", "payee must be"),
        (TARIFF | {"components": [ENERGY, ENERGY]}, "/components/1/id", "another component"),
        (TARIFF | {"currency": "euro"}, "/currency", "three letters"),
        (TARIFF | {"zone": "Berlin"}, "/zone", "not an IANA time zone"),
        (TARIFF | {"name": "Home"}, "/name", "is not a field here"),
        (TARIFF | {"id": str(ID)}, "/id", "is not a field here"),
        (TARIFF | {"rounding": {"decimals": "2"}}, "/rounding/decimals", "is no int"),
        (TARIFF | {"rounding": {"decimals": True}}, "/rounding/decimals", "is no int"),
        (TARIFF | {"rounding": {"mode": "away"}}, "/rounding", "rounding mode"),
        (TARIFF | {"rounding": []}, "/rounding", "must be an object"),
        (
            TARIFF | {"calendar": {"seasons": [{"name": "s", "start": "02-29"}]}},
            "/calendar/seasons/0",
            "no MM-DD",
        ),
        (
            TARIFF | {"calendar": {"seasons": [{"name": s, "start": "01-01"} for s in "ab"]}},
            "/calendar",
            "season start '01-01' is there twice",
        ),
        (
            TARIFF | {"calendar": {"day_types": [{"name": "none", "weekdays": []}]}},
            "/calendar/day_types/0",
            "holds no day",
        ),
        (
            TARIFF | {"calendar": {"day_types": [{"name": "d", "weekdays": ["Monday"]}]}},
            "/calendar/day_types/0/weekdays/0",
            "none of mon",
        ),
        (
            TARIFF | {"calendar": {"holidays": {"country": "XX"}}},
            "/calendar/holidays",
            "no public holidays are known for 'XX'",
        ),
        (
            TARIFF | {"calendar": {"holidays": {"country": "DE", "subdivision": "ZZ"}}},
            "/calendar/holidays",
            "'DE-ZZ'",
        ),
        (
            TARIFF | {"calendar": {"holidays": {"subdivision": "BE"}}},
            "/calendar/holidays",
            "needs its country",
        ),
        (
            TARIFF | {"calendar": {"holidays": {"dates": ["2025-02-30"]}}},
            "/calendar/holidays/dates/0",
            "for month",  # Python 3.14 also says which days are in its range
        ),
    ],
)
def test_a_fault_is_named_by_its_path(document, path, detail):
    faults = faults_of(document)
    assert detail in faults[path], faults


def test_all_faults_are_named_at_once():
    document = {
        "currency": "EUR",
        "components": [ENERGY | {"rate": "x"}, {"kind": "fixed", "id": "f"}, "no component"],
    }
    assert set(faults_of(document)) == {
        "/zone",
        "/components/0/rate",
        "/components/1/rate",
        "/components/1/per",
        "/components/2/kind",
    }


def test_a_document_that_is_no_object_is_refused():
    assert faults_of([]) == {"": "must be an object"}


FULL = TARIFF | {
    "calendar": {
        "seasons": [{"name": "all", "start": "01-01"}],
        "day_types": [{"name": "sunday", "weekdays": ["sun"], "holidays": "included"}],
        "holidays": {"country": "DE", "dates": ["2025-12-24"]},
    },
    "rounding": {"mode": "half_up", "decimals": 2, "per": "line"},
    "components": [
        {"kind": "fixed", "id": "f", "rate": "1", "per": "month", "proration": "none"},
        {"kind": "capacity", "id": "c", "rate": "1", "tax_class": "a"},
        {
            "kind": "time_of_use",
            "id": "t",
            "bands": [{"name": "x", "rate": "1"}],
            "windows": [
                {
                    "band": "x",
                    "from_time": "00:00",
                    "to_time": "24:00",
                    "seasons": ["all"],
                    "day_types": ["sunday"],
                }
            ],
            "default_band": "x",
        },
        {"kind": "tax", "id": "v", "rate": "0.1", "tax_class": "a", "from_on": "2025-01-01"},
    ],
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


def places_in(document):
    """Every (container, key) of a document."""
    keys = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in keys:
        yield document, key
        if isinstance(value, dict | list):
            yield from places_in(value)


@examples(300)
@given(st.data(), anything)
def test_whatever_stands_in_a_document_is_read_or_rejected(data, value):
    document = copy.deepcopy(FULL)
    container, key = data.draw(st.sampled_from(list(places_in(document))))
    container[key] = value
    with contextlib.suppress(Rejected):  # any other exception would be a defect
        tariff_version(ID, document)
