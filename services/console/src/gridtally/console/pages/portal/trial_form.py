"""The form by which a customer tries a tariff: which one, and on which days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gridtally.console.pages.portal import spans
from gridtally.console.upstream import Json
from gridtally.console.views.blocks import Field, Form
from gridtally.console.views.words import PortalWording

PATH = "/portal/try"
DAYS_MAX = 366
EARLIEST_ON = date(2000, 1, 1)
MONTH, YEAR, OWN = "month", "year", "own"


@dataclass(frozen=True, slots=True)
class Trial:
    """A version to try, on the local days [start, end)."""

    version_id: str
    start: date
    end: date


def read_trial(
    words: PortalWording, fields: Mapping[str, str], offered: Sequence[Json], today: date
) -> tuple[Trial | None, dict[str, str]]:
    """What is to be tried; None where the form is wrong, with what is wrong by field."""
    errors = {}
    version_id = fields.get("tariff", "")
    if version_id not in {offer["tariff_version_id"] for offer in offered}:
        errors["tariff"] = words.say("Choose one of these tariffs.")
    days, wrong_days = _days(words, fields, today)
    errors |= wrong_days
    if errors or days is None:
        return None, errors
    return Trial(version_id, *days), {}


def _days(
    words: PortalWording, fields: Mapping[str, str], today: date
) -> tuple[tuple[date, date] | None, dict[str, str]]:
    """The days [start, end), or what is wrong with them."""
    say, when = words.say, fields.get("when", MONTH)
    if when == MONTH:
        first = spans.month_before(today)
        return (first, spans.next_month(first)), {}
    if when == YEAR:
        return (date(today.year - 1, 1, 1), date(today.year, 1, 1)), {}
    first_day, last_day = (_day(fields.get(name, "")) for name in ("first", "last"))
    errors = {}
    if first_day is None:
        errors["first"] = say("Enter a day, such as {day}.", day=today.isoformat())
    elif first_day < EARLIEST_ON:
        errors["first"] = say("Choose a day from {day} on.", day=words.day(EARLIEST_ON))
    if last_day is None:
        errors["last"] = say("Enter a day, such as {day}.", day=today.isoformat())
    elif last_day > today:
        errors["last"] = say("Choose a day up to today: what is to come has no usage.")
    if errors or first_day is None or last_day is None:
        return None, errors
    if last_day < first_day:
        return None, {"last": say("The last day must not lie before the first one.")}
    if (last_day - first_day).days >= DAYS_MAX:
        return None, {"last": say("Choose at most {count} days.", count=str(DAYS_MAX))}
    return (first_day, last_day + timedelta(days=1)), {}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def trial_form(
    words: PortalWording,
    fields: Mapping[str, str],
    offered: Sequence[Json],
    errors: Mapping[str, str],
) -> Form:
    """The form, with what was typed and what is wrong with it."""
    say = words.say
    tariffs = tuple((offer["tariff_version_id"], offer["name"]) for offer in offered)
    whens = (
        (MONTH, say("Last month")),
        (YEAR, say("Last year")),
        (OWN, say("Other days, from and to")),
    )
    hint = say("Only for other days")
    made = [
        Field("tariff", say("Tariff"), fields.get("tariff", ""), options=tariffs),
        Field("when", say("For the usage of"), fields.get("when", MONTH), options=whens),
        Field("first", say("First day"), fields.get("first", ""), kind="date", hint=hint),
        Field("last", say("Last day"), fields.get("last", ""), kind="date", hint=hint),
    ]
    shown = [
        Field(
            field.name, field.label, field.value, field.kind, field.options, field.hint,
            errors.get(field.name, ""),
        )
        for field in made
    ]  # fmt: skip
    return Form(PATH, shown, say("Calculate"))
