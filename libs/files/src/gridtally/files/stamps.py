"""A date and time in a file: `2025-03-01T00:00`, on a local clock or with an offset.

Owns the one form that is read, which has one meaning everywhere, and what other forms seem to be.
Refuses those: in `03/01/2025` the first number may be the month or the day.
"""

import re
from datetime import datetime

QUOTED_CHARS_MAX = 40
"""Of a text that is quoted in a refusal."""
_LOCAL = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_PLAIN = re.compile(_LOCAL)
"""How most are written; others are read more slowly."""
_FORM = re.compile(rf"({_LOCAL}) ?([Zz]|[+-][0-9]{{2}}:?[0-9]{{2}})?")
_WRITE = "write 2025-03-01T00:00"
_END_OF_DAY = re.compile(r"^[0-9/.-]+[T ]24:00(:00)?")
_MEANT = (
    (
        _END_OF_DAY,
        "is where a day ends: write an interval that starts then as 00:00 of the next day",
    ),
    (
        re.compile(r"[0-9] ?[AaPp]\.?[Mm]\b"),
        f"is on a clock with AM and PM: {_WRITE}, with hours from 00 to 23",
    ),
    (
        re.compile(r"^[0-9]{1,2}([/.-])[0-9]{1,2}\1[0-9]{2,4}\b"),
        f"may mean the month or the day by its first number: {_WRITE}, the year first",
    ),
    (re.compile(r"^[0-9]{4}([/.])[0-9]{1,2}\1[0-9]{1,2}\b"), f"has no dashes: {_WRITE}"),
    (re.compile(r"^[0-9]{4}-?[0-9]{2}-?[0-9]{2}$"), f"is a date without a time: {_WRITE}"),
    (
        re.compile(r"^(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9][T ]?[0-9]{4}"),
        f"has no dashes and colons: {_WRITE}",
    ),
    (
        re.compile(r"^[0-9]{5}([.,][0-9]+)?$"),
        f"seems to be a spreadsheet's number of a day: format the column as a date, and {_WRITE}",
    ),
    (
        re.compile(r"^([0-9]{9,10}|[0-9]{12,13})$"),
        f"seems to be seconds or milliseconds since 1970: {_WRITE}Z",
    ),
    (re.compile(r"[A-Za-z]/[A-Za-z]|[ 0-9][A-Z]{3,4}$|\["), f"names a zone: {_WRITE}+01:00"),
)
"""What other texts seem to be, and what is to be written instead; the first that fits."""


def parse_stamp(text: str) -> datetime:
    """The date and time that a text says, aware where it has an offset; ValueError for any other
    form, with what it seems to be."""
    try:
        if _PLAIN.fullmatch(text):
            return datetime.fromisoformat(text)
        if written := _FORM.fullmatch(text.strip()):
            return datetime.fromisoformat(written[1] + (written[2] or "").upper())
    except ValueError:
        pass  # the 30th of February, or an hour beyond 24
    text = text.strip()
    if not text:
        raise ValueError("is empty")
    quoted = repr(text[:QUOTED_CHARS_MAX])
    for form, meaning in _MEANT:
        if form.search(text):
            raise ValueError(f"{quoted} {meaning}")
    raise ValueError(f"{quoted} is no date and time: {_WRITE}")


def is_end_of_day(text: str) -> bool:
    """Whether a text says 24:00, where a day ends."""
    return _END_OF_DAY.match(text.strip()) is not None
