"""What a text that is no number was meant to be.

Numbers have a decimal point and nothing between thousands, so that `1,5` and `1,500` are refused
and not taken for one another.
"""

import re

from gridtally.files.stamps import QUOTED_CHARS_MAX

_MISSING = "a value that is missing is not zero"
_MEANT = (
    (re.compile(r"^$"), f"is empty: {_MISSING}"),
    (
        re.compile(r"^[+-]?[0-9]{1,3}([ .'’\u00a0\u202f][0-9]{3})+,[0-9]+$"),
        "has a decimal comma and marks between thousands: write 1234.5",
    ),
    (
        re.compile(r"^[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]*$"),
        "has commas between thousands: write 1234.5",
    ),
    (re.compile(r"^[+-]?[0-9]*,[0-9]+$"), "has a decimal comma: write 1.5, with a point"),
    (
        re.compile(r"^[+-]?[0-9]+([ '’\u00a0\u202f][0-9]{3})+(\.[0-9]*)?$"),
        "has marks between thousands: write 1234.5",
    ),
    (re.compile(r"^[-–—]+$|^(n/?a|nan|null|none|-+)$", re.IGNORECASE), f"is no number: {_MISSING}"),
    (re.compile(r"^\([0-9.,]+\)$|^[0-9.,]+-$|^[−–][0-9.,]+$"), "is no number: write -1.5"),
    (
        re.compile(r"^[$€£¥]|[$€£¥]$|^[+-]?[0-9.,]+ *[A-Za-z%]+$"),
        "has a unit or a sign beside the number: write the number alone",
    ),
)  # fmt: skip
"""What such a text seems to be, and what is to be written instead; the first that fits."""


def not_a_number(text: str) -> str:
    """What a refusal says of a text that is no number, to be read after the column's name."""
    text = text.strip()
    for form, meaning in _MEANT:
        if form.search(text):
            return meaning if not text else f"is {text[:QUOTED_CHARS_MAX]!r}, which {meaning}"
    return f"is {text[:QUOTED_CHARS_MAX]!r}, not a number"


def has_decimal_comma(text: str) -> bool:
    """Whether a text is a number with a decimal comma: `1,5`."""
    return re.fullmatch(r"[+-]?[0-9]*,[0-9]+", text.strip()) is not None
