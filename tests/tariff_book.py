"""Reads the pages of docs/tariff-book: a tariff, the usage of a meter, and bills worked by hand.

How a page is written is said in docs/tariff-book/README.md.
"""

import ast
import json
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np

from gridtally.kernel.billing_calendars import CALENDAR_MONTHS, BillingCalendar, Calendars
from gridtally.kernel.periods import Period, zone_named
from gridtally.rating.prices import series_of
from gridtally.rating.usage import Usage, with_net

FOLDER = Path(__file__).parents[1] / "docs" / "tariff-book"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FLOWS = {"import", "export", "load", "generation"}
KWH_DECIMALS = 3
_BILL = re.compile(r"^## Bill of (\S+) to (\S+)\n(.+?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.\.(\d{4}-\d{2}-\d{2}))?")
_TIMES = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")
_WORDS = re.compile(r"[^0-9.×+−/() ]+")
_OPERATORS = str.maketrans({"×": "*", "−": "-"})


@dataclass(frozen=True, slots=True)
class Rule:
    """A value for every interval that begins on some days, at some hours (in minutes)."""

    value: Decimal
    weekdays: frozenset[int]
    days: tuple[date, date]
    begin: int
    end: int

    def holds(self, local):
        """Whether the rule is of the interval that begins at a local time."""
        minute = local.hour * 60 + local.minute
        if self.begin < self.end:
            inside = self.begin <= minute < self.end
        else:  # across midnight
            inside = minute >= self.begin or minute < self.end
        first, last = self.days
        return inside and first <= local.date() <= last and local.weekday() in self.weekdays


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a bill as it was worked: numbers, and the sums of which some are said to be."""

    line: str
    quantity: Decimal
    unit: str
    rate: Decimal
    amount: Decimal
    worked: tuple[tuple[Fraction, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A tariff as JSON, the usages of its billed periods in turn, price series by name, and by
    period the rows and the total of each bill that is shown."""

    document: dict
    usages: list[Usage]
    prices: dict
    bills: dict[Period, tuple[list[Row], Decimal]]


def pages():
    """The path of each page."""
    return sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def read_page(path):
    """A page; ValueError or an assertion where it is not written as the README says."""
    text = path.read_text()
    document = json.loads(_block(text, "json"))
    settings, rules = _described(_block(text, "usage"))
    zone, minutes = document["zone"], int(settings["minutes"])
    periods = _periods(settings["bills"])
    connected_kw = Decimal(settings["connected"]) if "connected" in settings else None
    energy = {name: lines for name, lines in rules.items() if name in FLOWS}
    usages = [
        Usage(
            zone,
            period,
            minutes,
            with_net({flow: _wh(lines, zone, period, minutes) for flow, lines in energy.items()}),
            connected_kw,
        )
        for period in periods
    ]
    whole = Period(periods[0].start_on, periods[-1].end_on)
    prices = {
        name: series_of(document["currency"], minutes, _values(lines, zone, whole, minutes))
        for name, lines in rules.items()
        if name not in FLOWS
    }
    bills = {
        Period(date.fromisoformat(first), date.fromisoformat(last)): _table(table)
        for first, last, table in _BILL.findall(text)
    }
    assert bills, "a page shows a bill"
    assert set(bills) <= set(periods), "a bill that is shown is of a billed period"
    return Page(document, usages, prices, bills)


def _block(text, language):
    (found,) = re.findall(rf"^```{language}\n(.+?)^```", text, re.MULTILINE | re.DOTALL)
    return found


def _described(text):
    """The settings by their names, and the rules of each flow and price series in their order."""
    settings, rules = {}, {}
    for line in text.splitlines():
        name, *words = line.partition("#")[0].split()
        if name == "price":
            name, *words = words
            rules.setdefault(name, []).append(_rule(words))
        elif name in FLOWS:
            rules.setdefault(name, []).append(_rule(words))
        else:
            settings[name] = " ".join(words)
    assert set(settings) <= {"bills", "minutes", "connected"}, settings
    return settings, rules


def _rule(words):
    *conditions, value = words
    weekdays, days, (begin, end) = set(), (date.min, date.max), (0, 24 * 60)
    for word in conditions:
        if word in WEEKDAYS:
            weekdays.add(WEEKDAYS.index(word))
        elif match := _DAYS.fullmatch(word):
            days = tuple(date.fromisoformat(day or match[1]) for day in match.groups())
        elif match := _TIMES.fullmatch(word):
            hours = [int(number) for number in match.groups()]
            begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        else:
            raise ValueError(f"{word} is no weekday, date or time")
    return Rule(Decimal(value), frozenset(weekdays or range(7)), days, begin, end)


def _periods(text):
    """Of `2025-01-01 to 2025-02-01`, or by a calendar from one day to another."""
    *calendar, first, _, last = text.split()
    start_on, end_on = date.fromisoformat(first), date.fromisoformat(last)
    match calendar:
        case []:
            return [Period(start_on, end_on)]
        case ["monthly"]:
            calendar = CALENDAR_MONTHS
        case ["of", months, "months"]:
            calendar = BillingCalendar(months=int(months), anchor_month=start_on.month)
        case ["from", "day", start_day]:
            calendar = BillingCalendar(start_day=int(start_day))
    return list(Calendars(calendar).periods(start_on, end_on, end_on))


def _values(rules, zone, period, minutes):
    """The value of each interval by its instant: that of the last rule that holds."""
    at, end_at = period.bounds_utc(zone)
    values: dict[datetime, Decimal] = {}
    while at < end_at:
        local = at.astimezone(zone_named(zone))
        values[at] = next((rule.value for rule in reversed(rules) if rule.holds(local)), Decimal(0))
        at += timedelta(minutes=minutes)
    return values


def _wh(rules, zone, period, minutes):
    kwh = _values(rules, zone, period, minutes).values()
    scaled = [value.scaleb(KWH_DECIMALS) for value in kwh]
    assert all(value == int(value) for value in scaled), "usage is in whole Wh"
    return np.array([int(value) for value in scaled], np.int64)


def _table(text):
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    assert rows[0] == ["line", "quantity", "rate", "amount"], rows[0]
    *lines, (last, _, _, total) = rows[2:]
    assert last == "**total**", last
    return [_row(*cells) for cells in lines], _worked(total.strip("*"))[0]


def _row(line, quantity, rate, amount):
    last = quantity.rpartition("=")[2].split(maxsplit=1)
    number, unit = last[0].replace("−", "-"), last[1]
    worked = [_worked(cell) for cell in (quantity, rate, amount)]
    return Row(
        line,
        Decimal(number),
        unit,
        worked[1][0],
        worked[2][0],
        tuple((sum_, value) for value, sums in worked for sum_ in sums),
    )


def _worked(cell):
    """The number that a cell ends with, and the value of each sum before it: `2 × 3 h = 6 kWh`."""
    *sums, last = cell.split("=")
    number = Decimal(_WORDS.sub("", last).strip().replace("−", "-"))
    return number, [_sum(text) for text in sums]


def _sum(text):
    """The value of a sum in which words stand beside the numbers."""
    bare = _WORDS.sub("", text).translate(_OPERATORS).strip()

    def value(node):
        match node:
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return value(left) + value(right)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return value(left) - value(right)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return value(left) * value(right)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return value(left) / value(right)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -value(operand)
            case ast.Constant():
                return Fraction(ast.get_source_segment(bare, node))
        raise ValueError(f"{text} is no sum")

    return value(ast.parse(bare, mode="eval").body)
