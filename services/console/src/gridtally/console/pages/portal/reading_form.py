"""The form by which a customer sends readings: a field for each register, and the day."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.numbers import get_group_symbol

from gridtally.console.upstream import Failure, Json
from gridtally.console.views.blocks import Field, Form
from gridtally.console.views.words import PortalWording

PATH = "/portal/readings"
DAY = "read_on"
CONTRADICTS = "reading_contradicts"
"""The ledger's code for what cannot be between the readings that it has."""
CONFIRMED = "confirmed"
"""Holds what a customer was asked about: it is confirmed only where the same comes again."""
REGISTER = "register."
"""Begins the name of each register's field."""
BACK_DAYS_MAX = 60
"""The ledger takes readings of so many days from customers."""
_NUMBER = re.compile(r"-?\d{1,15}([.,]\d{1,12})?")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a customer typed: values by the name of their fields, and the day."""

    values: Mapping[str, Decimal]
    read_on: date

    @property
    def fingerprint(self) -> str:
        """The same for the same values and day."""
        parts = [f"{name}={value}" for name, value in sorted(self.values.items())]
        return " ".join([self.read_on.isoformat(), *parts])


def field_name(register: Json) -> str:
    """The name of a register's field."""
    return f"{REGISTER}{register['meter_id']}.{register['flow']}"


def read_typed(
    words: PortalWording, fields: Mapping[str, str], registers: Sequence[Json], now: datetime
) -> tuple[Typed | None, dict[str, str]]:
    """What was typed; None where something is wrong, with what is wrong by field."""
    say = words.say
    errors: dict[str, str] = {}
    values = {}
    by_name = {field_name(register): register for register in registers}
    for name, register in by_name.items():
        text = fields.get(name, "")
        if text:
            value = _number(words, text)
            error = _wrong_value(words, value, register)
            if error or value is None:
                errors[name] = error
            else:
                values[name] = value
    if not values and not errors:
        errors[field_name(registers[0])] = say("Enter at least one reading.")
    read_on = _day(fields.get(DAY, ""))
    today = max(now.astimezone(ZoneInfo(register["zone"])).date() for register in registers)
    if read_on is None:
        errors[DAY] = say("Enter a day, such as {day}.", day=today.isoformat())
    else:
        errors |= _wrong_day(words, read_on, today, [by_name[name] for name in values])
    if errors or read_on is None:
        return None, errors
    return Typed(values, read_on), {}


def _wrong_day(
    words: PortalWording, read_on: date, today: date, registers: Sequence[Json]
) -> dict[str, str]:
    """What is wrong with the day: it is to come or too long ago, or the meter was somebody else's
    by then."""
    say = words.say
    earliest_on = today - timedelta(days=BACK_DAYS_MAX)
    ends = [date.fromisoformat(own["end_on"]) for own in registers if own["end_on"]]
    if read_on < earliest_on:
        return {DAY: say("Choose a day from {day} on.", day=words.day(earliest_on))}
    if read_on > today:
        return {DAY: say("Choose a day up to today.")}
    if ends and read_on >= min(ends):
        last_on = min(ends) - timedelta(days=1)
        return {DAY: say("Choose a day up to {day}.", day=words.day(last_on))}
    return {}


def _number(words: PortalWording, text: str) -> Decimal | None:
    """A number as people write it, in groups of three or not; None where it is none."""
    plain = re.sub(r"[\s'’]", "", text)
    group = re.escape(get_group_symbol(words.locale))
    if re.fullmatch(rf"\d{{1,3}}({group}\d{{3}})+([.,]\d+)?", plain):
        plain = re.sub(rf"{group}(?=\d{{3}})", "", plain)
    return Decimal(plain.replace(",", ".")) if _NUMBER.fullmatch(plain) else None


def _wrong_value(words: PortalWording, value: Decimal | None, register: Json) -> str:
    """What is wrong with a value; empty where the register can show it."""
    say = words.say
    if value is None:
        return say("Enter the number that the meter shows.")
    if value < 0:
        return say("A meter shows no negative number.")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > register["decimals"]:
        return say("The meter shows {count} decimals.", count=str(register["decimals"]))
    if value >= 10 ** register["digits"]:
        count = str(register["digits"])
        return say("The meter shows {count} digits before the decimals.", count=count)
    return ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def doubts(
    words: PortalWording, typed: Typed, registers: Sequence[Json], failure: Failure
) -> dict[str, str]:
    """What the ledger asks about or refuses, by field: its faults name the values by their
    order."""
    by_name = {field_name(register): register for register in registers}
    names = list(typed.values)
    asked = {}
    for error in failure.errors:
        found = re.fullmatch(r"#?/items/(\d+)/value", error.pointer or "")
        if found and int(found[1]) < len(names):
            name = names[int(found[1])]
            if failure.code == CONTRADICTS:
                asked[name] = words.say("This does not fit the readings before and after this day.")
            else:
                asked[name] = _doubt(words, typed.values[name], typed.read_on, by_name[name])
    return asked


def _doubt(words: PortalWording, value: Decimal, read_on: date, register: Json) -> str:
    """Why the ledger asks, and what it has compared with: the last reading, but not the one of the
    same day that the customer sends once more."""
    say, last = words.say, register["last"]
    if last and last["is_by_customer"] and local_day(last["read_at"], register) == read_on:
        last = register["before_last"]
    if last is None:
        return say("Please look once more.")
    shown = words.quantity(Decimal(last["value"]))
    last_on = local_day(last["read_at"], register)
    if read_on < last_on:
        day = words.day(last_on)
        return say("This day lies before the last reading, of {day}.", day=day)
    if value < Decimal(last["value"]):
        return say("This is lower than the last reading, {value}.", value=shown)
    return say("This is much more than expected after the last reading, {value}.", value=shown)


def local_day(instant: str, register: Json) -> date:
    """The day of an instant where the register is."""
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(register["zone"])).date()


def register_name(words: PortalWording, register: Json, registers: Sequence[Json]) -> str:
    """What a register is called: by its meter, and what else is needed to tell it from others."""
    say = words.say
    flows = {
        "import": say("taken from the grid"),
        "export": say("fed into the grid"),
        "load": say("used"),
        "generation": say("generated"),
    }
    parts = [register["meter_name"]]
    if len({other["property_name"] for other in registers}) > 1:
        parts.append(register["property_name"])
    if sum(other["meter_id"] == register["meter_id"] for other in registers) > 1:
        parts.append(flows[register["flow"]])
    return " · ".join(parts)


def reading_form(
    words: PortalWording,
    fields: Mapping[str, str],
    registers: Sequence[Json],
    errors: Mapping[str, str],
    now: datetime,
    asked: Typed | None = None,
) -> Form:
    """The form, with what was typed, and what is wrong or asked about."""
    say = words.say
    made = []
    for register in registers:
        name = field_name(register)
        made.append(
            Field(
                name,
                register_name(words, register, registers),
                fields.get(name, ""),
                hint=_hint(words, register),
                error=errors.get(name, ""),
                is_number=True,
            )
        )
    read_on = fields.get(DAY, _likely_day(registers, now).isoformat())
    made.append(Field(DAY, say("Read on"), read_on, kind="date", error=errors.get(DAY, "")))
    if asked is None:
        return Form(PATH, made, say("Send"))
    return Form(PATH, made, say("It is right: send"), hidden={CONFIRMED: asked.fingerprint})


def _likely_day(registers: Sequence[Json], now: datetime) -> date:
    """Today, or the last day of who has moved out."""
    today = now.astimezone(ZoneInfo(registers[0]["zone"])).date()
    ends = [date.fromisoformat(own["end_on"]) for own in registers if own["end_on"]]
    if len(ends) < len(registers):
        return today
    return min(today, max(ends) - timedelta(days=1))


def _hint(words: PortalWording, register: Json) -> str:
    say, last = words.say, register["last"]
    digits, decimals = str(register["digits"]), str(register["decimals"])
    shown = say("kWh, up to {digits} digits and {decimals} decimals.", digits=digits,
                decimals=decimals)  # fmt: skip
    if last is None:
        return shown
    value = words.quantity(Decimal(last["value"]))
    day = words.day(local_day(last["read_at"], register))
    return say("Last: {value} on {day}.", value=value, day=day) + " " + shown
