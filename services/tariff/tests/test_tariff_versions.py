"""Which documents a version may have, and what may happen to a version."""

from copy import deepcopy
from datetime import date
from uuid import UUID

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.tariff.documents import check_tariff_shape
from gridtally.tariff.domain.tariff_versions import (
    TariffVersion,
    Terms,
    UsedCalendar,
    Withdrawal,
    calendar_named,
    check_document,
    has_terms,
    with_calendar,
    withdraw_from,
)
from gridtally.tariff.domain.tariffs import Tariff
from gridtally.tariff.domain.versions import check_draft, may_publish

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
    """What publishing reports: the engine's faults, else the schema's."""
    try:
        check_document(TARIFF, ID, document)
        check_tariff_shape(document)
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
def test_a_wrong_document_is_reported_by_the_path_of_its_fault(path, value, expected):
    assert expected in faults(document(path, value)), faults(document(path, value))


def test_a_version_is_in_force_for_a_day_at_least():
    day = date(2025, 1, 1)
    assert Terms(day, date(2025, 1, 2), DOCUMENT)
    with pytest.raises(Rejected, match="never in force"):
        Terms(day, day, DOCUMENT)


# status -> what changing and publishing answer
LIFE = {
    "draft": (True, True),
    "published": ("version_immutable", False),
    "withdrawn": ("version_immutable", "version_withdrawn"),
}


def answer_of(step):
    try:
        return step()
    except Rejected as refused:
        return refused.code


@pytest.mark.parametrize(("status", "answers"), LIFE.items())
def test_the_life_of_a_version(status, answers):
    assert answer_of(lambda: check_draft(status) is None) == answers[0]
    assert answer_of(lambda: may_publish(status)) == answers[1]


JANUARY, MARCH, JUNE = date(2025, 1, 1), date(2025, 3, 1), date(2025, 6, 1)
FROM_MARCH = Withdrawal(MARCH, "why")


# status, end, withdrawal before, asked for -> withdrawn from, or the answer
@pytest.mark.parametrize(
    ("status", "effective_to", "before", "from_on", "expected"),
    [
        ("draft", None, None, None, "version_unpublished"),
        ("published", None, None, None, JANUARY),
        ("published", None, None, date(2024, 7, 1), JANUARY),
        ("published", None, None, MARCH, MARCH),
        ("published", JUNE, None, date(2025, 5, 31), date(2025, 5, 31)),
        ("published", JUNE, None, JUNE, "withdrawn_too_late"),
        ("withdrawn", None, FROM_MARCH, MARCH, None),
        ("withdrawn", None, FROM_MARCH, None, "version_withdrawn"),
        ("withdrawn", None, FROM_MARCH, JUNE, "version_withdrawn"),
    ],
)
def test_a_withdrawal_takes_a_version_out_of_force_from_a_date_on(
    status, effective_to, before, from_on, expected
):
    version = TariffVersion(
        ID, ID, 1, status, Terms(JANUARY, effective_to, DOCUMENT), withdrawal=before
    )

    def withdrawn():
        withdrawal = withdraw_from(version, "why", from_on)
        return withdrawal and withdrawal.from_on

    assert answer_of(withdrawn) == expected


@pytest.mark.parametrize(
    ("effective_to", "withdrawn_from", "expected"),
    [(None, None, None), (JUNE, None, JUNE), (None, MARCH, MARCH), (JUNE, MARCH, MARCH)],
)
def test_a_version_ends_by_its_dates_or_by_its_withdrawal(effective_to, withdrawn_from, expected):
    withdrawal = withdrawn_from and Withdrawal(withdrawn_from, "why")
    terms = Terms(JANUARY, effective_to, DOCUMENT)
    assert (
        TariffVersion(ID, ID, 1, "withdrawn", terms, withdrawal=withdrawal).in_force_to == expected
    )


def test_a_document_may_name_a_calendar_in_place_of_its_own():
    named = DOCUMENT | {"calendar_id": str(ID)}
    calendar = {"seasons": [{"name": "all", "start": "01-01"}]}
    assert calendar_named(DOCUMENT) is None
    assert calendar_named(named) == ID
    assert with_calendar(named, calendar) == DOCUMENT | {"calendar": calendar}
    assert faults(named) == ["/document/calendar_id"]  # a name is nothing to bill by


def test_a_published_version_is_known_again_by_the_terms_that_it_was_drafted_with():
    calendar = {"seasons": [{"name": "all", "start": "01-01"}]}
    named = Terms(JANUARY, None, DOCUMENT | {"calendar_id": str(ID)})
    complete = Terms(JANUARY, None, with_calendar(named.document, calendar))
    version = TariffVersion(ID, ID, 1, "published", complete, calendar=UsedCalendar(ID, 3))
    other = DOCUMENT | {"calendar_id": str(UUID(int=2))}
    assert has_terms(version, named)
    assert has_terms(version, complete)
    assert not has_terms(version, Terms(MARCH, None, named.document))
    assert not has_terms(version, Terms(JANUARY, None, other))
    assert not has_terms(version, Terms(JANUARY, None, DOCUMENT))


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENT | {"calendar_id": "1"},
        DOCUMENT | {"calendar_id": 7},
        DOCUMENT | {"calendar_id": None},
        DOCUMENT | {"calendar_id": str(ID), "calendar": {}},
    ],
)
def test_a_wrong_name_of_a_calendar_is_refused(document):
    with pytest.raises(Rejected) as refused:
        calendar_named(document)
    assert [fault.path for fault in refused.value.faults] == ["/document/calendar_id"]
