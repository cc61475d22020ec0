"""Which documents a version may have, and what may happen to a version."""

from copy import deepcopy
from datetime import date
from uuid import UUID

import pytest

from kernel.errors import Conflict, Rejected
from tariff.domain.catalogue import (
    Tariff,
    Terms,
    Version,
    check_draft,
    check_terms,
    may_publish,
    may_withdraw,
)
from tariff.wire import check_shape

ID = UUID(int=1)
TARIFF = Tariff(ID, "home", "Home", "EUR", "Europe/Berlin", None)
DOCUMENT = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {"kind": "fixed", "id": "base", "rate": "9.50", "per": "month"},
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [{"name": "peak", "rate": "0.38"}, {"name": "off", "rate": "0.24"}],
            "windows": [{"band": "peak", "from_time": "07:00", "to_time": "22:00"}],
            "default_band": "off",
            "payee": "Grid",
        },
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["base", "energy"]},
    ],
}

WINDOW = "components/1/windows/0/from_time"


def document(path, value):
    """The good document with one thing put in; `path` as in `components/1/bands`."""
    changed = deepcopy(DOCUMENT)
    node = changed
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in parents:
        node = node[part]
    node[last] = value
    return changed


def faults(document):
    """What publishing says: the engine's faults, else the schema's."""
    try:
        check_terms(TARIFF, ID, Terms(date(2025, 1, 1), None, document))
        check_shape(document)
    except Rejected as refused:
        return [fault.path for fault in refused.faults]
    return []


def test_a_good_document():
    assert faults(DOCUMENT) == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("currency", "USD", "/document/currency"),
        ("zone", "Asia/Kolkata", "/document/zone"),
        ("zone", "Mars/Olympus", "/document/zone"),
        ("colour", "red", "/document/colour"),
        ("components", [], "/document/components"),
        ("components/0/rate", "abc", "/document/components/0/rate"),
        ("components/0/rate", 9.5, "/document/components/0/rate"),
        ("components/0/rate", "1e3", "/document/components/0/rate"),
        ("components/0/kind", "magic", "/document/components/0/kind"),
        ("components/0/id", "energy", "/document/components/1/id"),
        ("components/1/payee", "x" * 200, "/document/components/1"),
        (WINDOW, "25:00", f"/document/{WINDOW}"),
        (WINDOW, "7:00:30", f"/document/{WINDOW}"),
        ("components/1/default_band", None, "/document/components/1"),
        ("components/2/component_ids", ["gone"], "/document/components/2/component_ids"),
        ("components/2/rate", "19", "/document/components/2"),
        ("calendar", {"holidays": {"country": "ZZ"}}, "/document/calendar/holidays"),
    ],
)  # fmt: skip
def test_a_wrong_document_is_told_by_the_path_of_its_fault(path, value, expected):
    assert expected in faults(document(path, value)), faults(document(path, value))


def test_a_version_is_in_force_for_a_day_at_least():
    day = date(2025, 1, 1)
    assert Terms(day, date(2025, 1, 2), DOCUMENT)
    with pytest.raises(Rejected, match="never in force"):
        Terms(day, day, DOCUMENT)


# status -> what changing, publishing and withdrawing answer
LIFE = {
    "draft": (True, True, "version_unpublished"),
    "published": ("version_immutable", False, True),
    "withdrawn": ("version_immutable", "version_withdrawn", False),
}


@pytest.mark.parametrize(("status", "answers"), LIFE.items())
def test_the_life_of_a_version(status, answers):
    version = Version(ID, ID, 1, status, Terms(date(2025, 1, 1), None, DOCUMENT))

    def answer(step):
        try:
            return step(version)
        except Conflict as conflict:
            return conflict.code

    assert answer(lambda v: check_draft(v) is None) == answers[0]
    assert answer(may_publish) == answers[1]
    assert answer(may_withdraw) == answers[2]
