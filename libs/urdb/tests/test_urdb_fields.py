"""Every field of the URDB's schema (version 8, with the older ones): charged, harmless or reported.

Each is set to an odd value by itself, in a record that has all charges.
"""

from decimal import Decimal

import pytest

from gridtally.urdb import Supplements, import_record

FLAT = [[0] * 24] * 12
EVENING = [[0] * 16 + [1] * 8] * 12
RECORD = {
    "energyratestructure": [
        [{"rate": Decimal("0.1"), "unit": "kWh", "max": 100}, {"rate": Decimal("0.2")}],
        [{"rate": Decimal("0.3")}],
    ],
    "energyweekdayschedule": EVENING,
    "energyweekendschedule": FLAT,
    "flatdemandstructure": [[{"rate": 3}], [{"rate": 5}]],
    "flatdemandmonths": [0] * 12,
    "demandratestructure": [[{"rate": 3}], [{"rate": 4}]],
    "demandweekdayschedule": EVENING,
    "demandweekendschedule": FLAT,
    "fixedchargefirstmeter": 8,
    "mincharge": 9,
    "lookbackpercent": Decimal("0.5"),
}
CHARGED = {
    "flatdemandstructure": [[{"rate": 9}], [{"rate": 9}]],
    "flatdemandmonths": [0] * 11 + [1],
    "demandratestructure": [[{"rate": 1}], [{"rate": 2}]],
    "demandweekdayschedule": FLAT,
    "demandweekendschedule": EVENING,
    "demandwindow": 30,
    "lookbackPercent": Decimal("0.7"),
    "lookbackRange": 6,
    "lookbackMonths": [True] * 6 + [False] * 6,
    "energyratestructure": [[{"rate": 1}], [{"rate": 2}]],
    "energyweekdayschedule": FLAT,
    "energyweekendschedule": EVENING,
    "fueladjustmentsmonthly": [Decimal("0.01")] * 12,
    "fixedchargefirstmeter": 5,
    "fixedchargeunits": "$/year",
    "mincharge": 1,
    "minchargeunits": "$/day",
    "minmonthlycharge": 3,
    "annualmincharge": 3,
}
WARNED = {
    "servicetype": "Delivery",
    "flatdemandunit": "hp",
    "demandrateunit": "hp daily",
    "demandratchetpercentage": [Decimal("0.5")] * 12,
    "demandreactivepowercharge": Decimal("0.7"),
    "demandreactpwrcharge": Decimal("0.7"),
    "coincidentratestructure": [[{"rate": 2}]],
    "demandattrs": [{"a": "b"}],
    "energyattrs": [{"a": "b"}],
    "fixedattrs": [{"a": "b"}],
    "dgrules": "Net Billing Hourly",
    "usenetmetering": True,
    "fixedchargeeaaddl": 5,
    "fixedmonthlycharge": 3,
    "something": "new",
}
HARMLESS = {
    **dict.fromkeys(("label", "uri", "utility", "name", "description", "source"), "x"),
    **dict.fromkeys(("sourceparent", "basicinformationcomments", "supersedes", "supercedes"), "x"),
    **dict.fromkeys(("sector", "country", "voltagecategory", "phasewiring"), "x"),
    **dict.fromkeys(("demandcomments", "energycomments", "demandunits"), "x"),
    **dict.fromkeys(("approved", "is_default"), True),
    **dict.fromkeys(("eiaid", "startdate", "enddate", "voltageminimum", "voltagemaximum"), 3),
    **dict.fromkeys(("peakkwcapacitymin", "peakkwcapacitymax", "peakkwcapacityhistory"), 3),
    **dict.fromkeys(("peakkwhusagemin", "peakkwhusagemax", "peakkwhusagehistory"), 3),
}
OF_NOTHING = {"coincidentrateunit": "kW", "coincidentrateschedule": FLAT}
"""Fields that say how another is meant, which is not there."""


def imported(record):
    return import_record(record, zone="America/New_York", incomplete="accepted")


BEFORE = imported(RECORD)


def notes_of(result):
    return [note for note in result.notes if note not in BEFORE.notes]


@pytest.mark.parametrize("name", CHARGED)
def test_a_field_that_is_understood_changes_the_tariff(name):
    result = imported(RECORD | {name.lower(): CHARGED[name]})
    assert result.document != BEFORE.document
    assert result.warnings == []


@pytest.mark.parametrize("name", WARNED)
def test_a_field_that_may_cost_money_and_is_not_charged_is_warned_of(name):
    result = imported(RECORD | {name: WARNED[name]})
    assert len(result.warnings) == 1
    charged = [component["id"] for component in result.document["components"]]
    assert set(charged) <= {component["id"] for component in BEFORE.document["components"]}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_field_that_charges_nothing_is_named(name):
    result = imported(RECORD | {name: HARMLESS[name]})
    assert result.document == BEFORE.document
    assert [note.kind for note in notes_of(result)] == ["descriptive"]


@pytest.mark.parametrize("name", OF_NOTHING)
def test_a_field_that_belongs_to_nothing_is_left_out(name):
    assert imported(RECORD | {name: OF_NOTHING[name]}) == BEFORE


@pytest.mark.parametrize(
    ("structure", "field"),
    [
        ("energyratestructure", "fueladj"),
        ("energyratestructure", "sell"),
        *((structure, "fueladj") for structure in ("flatdemandstructure", "demandratestructure")),
        *((structure, "sell") for structure in ("flatdemandstructure", "demandratestructure")),
        *((structure, "unit") for structure in ("flatdemandstructure", "demandratestructure")),
    ],
)
def test_a_field_of_a_tier_is_reported_too(structure, field):
    periods = RECORD[structure]
    first = [periods[0][0] | {field: 3}, *periods[0][1:]]
    result = imported(RECORD | {structure: [first, *periods[1:]]})
    assert [note.field.startswith(("/" + structure, "sell")) for note in result.warnings] == [True]


@pytest.mark.parametrize(
    ("fields", "meters", "charged"),
    [
        ({"fixedmonthlycharge": 7, "fixedchargeeaaddl": 2}, 1, [("fixed", "7", "month")]),
        (
            {"fixedmonthlycharge": 7, "fixedchargeeaaddl": 2},
            4,
            [("fixed", "7", "month"), ("further-meters", "6", "month")],
        ),
        (
            {"fixedchargeeaaddl": Decimal("0.5"), "fixedchargeunits": "$/day"},
            2,
            [("further-meters", "0.5", "day")],
        ),
    ],
)
def test_further_meters_are_charged_where_their_number_is_known(fields, meters, charged):
    result = import_record(
        {"energyratestructure": [[{"rate": 1}]]} | fields,
        zone="America/New_York",
        supplements=Supplements(meters=meters),
    )
    assert result.warnings == []
    fixed = [charge for charge in result.document["components"] if charge["kind"] == "fixed"]
    assert [(charge["id"], charge["rate"], charge["per"]) for charge in fixed] == charged
