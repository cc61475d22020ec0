"""Calendars as rows. What a calendar says is in its versions."""

from gridtally.tariff import tables
from gridtally.tariff.domain.calendars import Calendar
from gridtally.tariff.domain.catalogue import code_taken, in_use
from gridtally.tariff.store.catalogue import ResourceTable

CALENDARS = ResourceTable(
    noun="calendar",
    kind=Calendar,
    table=tables.calendar,
    changeable=("code", "name"),
    write_answers={"calendar_code": code_taken("calendar")},
    delete_answers={"calendar_version_calendar": in_use("calendar", "versions")},
)
