"""Dates and times as files write them, by a form that says what each part is.

`DD.MM.YYYY HH:mm` reads `01.03.2025 00:15`. Parts: YYYY, YY, MM, MMM (Jan), DD, HH (0 to 24), hh
with AM, mm, ss, Z (an offset or Z); seconds where there are any must be 00. `epoch` is whole
seconds since 1970, `epoch_ms` milliseconds. Owns that 24:00 is the end of a day.
"""

import re
from datetime import date
from functools import lru_cache
from typing import NamedTuple

MINUTES_PER_HOUR, MINUTES_PER_DAY = 60, 1440
EPOCH, EPOCH_MS = "epoch", "epoch_ms"
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_CENTURY = 2000
_NOON = 12
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PARTS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<year2>[0-9]{2})",
    "MMM": r"(?P<month_name>[A-Za-z]{3})[a-z]*\.?",
    "MM": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{1,2})",
    "HH": r"(?P<hour>[0-9]{1,2})",
    "hh": r"(?P<hour12>[0-9]{1,2})",
    "mm": r"(?P<minute>[0-9]{2})",
    "ss": r"(?P<second>[0-9]{2}(?:\.0*)?)",
    "AM": r"(?P<half>[AaPp])\.?[Mm]\.?",
    "Z": r"(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})",
}
_OF_DAY = {"year", "year2", "month", "month_name", "day"}
_PART = re.compile("|".join(_PARTS))
_NEEDED = ({"YYYY", "YY"}, {"MM", "MMM"}, {"DD"})


class Stamp(NamedTuple):
    """Minutes of the clock since 1970, and the clock's offset from UTC where the text has one."""

    minute: int
    offset: int | None = None


# A file of a year has 35 000 different texts, but 366 dates and 96 times of day: the parts are
# looked up by their texts, so that a text costs a match and little more.
class StampForm:
    """Reads texts of one form."""

    def __init__(self, form: str) -> None:
        """ValueError where `form` names no date."""
        self.form = form
        self._pattern = _compile(form)
        names = self._pattern.groupindex if self._pattern is not None else {}
        self._day_parts = tuple(name for name in names if name in _OF_DAY)
        self._time_parts = tuple(name for name in names if name not in _OF_DAY)
        self._days: dict[tuple[str, ...], int] = {}
        self._times: dict[tuple[str, ...], tuple[int, int | None]] = {}

    def read(self, text: str) -> Stamp:
        """The date and time of a text; ValueError where it is not of this form."""
        plain = " ".join(text.split())
        if self._pattern is None:
            return self._seconds(plain)
        match = self._pattern.fullmatch(plain)
        if match is None:
            raise ValueError(f"{plain[:40]!r} is not written as {self.form}")
        day_texts = tuple(match[name] for name in self._day_parts)
        time_texts = tuple(match[name] for name in self._time_parts)
        day, time = self._days.get(day_texts), self._times.get(time_texts)
        if day is None:
            parts = dict(zip(self._day_parts, day_texts, strict=True))
            day = self._days[day_texts] = _day(parts, plain, self.form)
        if time is None:
            parts = dict(zip(self._time_parts, time_texts, strict=True))
            time = self._times[time_texts] = _time(parts, plain)
        return Stamp(day * MINUTES_PER_DAY + time[0], time[1])

    def _seconds(self, text: str) -> Stamp:
        if not re.fullmatch(r"[0-9]{1,14}", text):
            raise ValueError(f"{text[:40]!r} is no whole number of seconds since 1970")
        seconds, rest = divmod(int(text), 1000) if self.form == EPOCH_MS else (int(text), 0)
        if rest or seconds % 60:
            raise ValueError(f"{text[:40]!r} is no whole minute")
        return Stamp(seconds // 60, 0)


@lru_cache(maxsize=4_096)
def _compile(form: str) -> re.Pattern[str] | None:
    if form in (EPOCH, EPOCH_MS):
        return None
    named = _PART.findall(form)
    if len(named) != len(set(named)) or not all(choice & set(named) for choice in _NEEDED):
        raise ValueError(
            f"{form[:40]!r} does not say how dates are written: name the year, month and day once, "
            "as in YYYY-MM-DD HH:mm"
        )
    pattern, end = "", 0
    for part in _PART.finditer(form):
        pattern += re.escape(form[end : part.start()]) + _PARTS[part[0]]
        end = part.end()
    return re.compile(pattern + re.escape(form[end:]))


def _day(parts: dict[str, str], text: str, form: str) -> int:
    """The days since 1970."""
    try:
        day = date(_year(parts), _month(parts), int(parts["day"]))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no date that exists, as {form}") from None
    return day.toordinal() - _EPOCH_DAY


def _time(parts: dict[str, str], text: str) -> tuple[int, int | None]:
    """The minute of the day, and the offset from UTC, if there is one."""
    if float(parts.get("second") or 0):
        raise ValueError(f"{text[:40]!r} is no whole minute")
    minute = _hour(parts, text) * MINUTES_PER_HOUR + int(parts.get("minute") or 0)
    if int(parts.get("minute") or 0) >= MINUTES_PER_HOUR or minute > MINUTES_PER_DAY:
        raise ValueError(f"{text[:40]!r} is no time of a day")
    return minute, _offset(parts.get("offset"))


def _year(parts: dict[str, str]) -> int:
    return int(parts.get("year") or _CENTURY + int(parts["year2"]))


def _month(parts: dict[str, str]) -> int:
    name = parts.get("month_name")
    return _MONTHS.index(name.lower()) + 1 if name else int(parts["month"])


def _hour(parts: dict[str, str], text: str) -> int:
    if (half := parts.get("half")) is None:
        return int(parts.get("hour") or 0)
    hour = int(parts.get("hour12") or 0)
    if not 1 <= hour <= _NOON:
        raise ValueError(f"{text[:40]!r} is no time on a clock with AM and PM")
    return hour % _NOON + (_NOON if half.lower() == "p" else 0)


def _offset(text: str | None) -> int | None:
    if text is None:
        return None
    if text in "Zz":
        return 0
    minutes = int(text[1:3]) * MINUTES_PER_HOUR + int(text[-2:])
    return -minutes if text[0] == "-" else minutes
