"""How a date and time is written, and what other forms and numbers seem to be."""

import pytest

from gridtally.files.numbers import not_a_number
from gridtally.files.stamps import is_end_of_day, parse_stamp


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2025-03-01T00:00", "2025-03-01T00:00:00"),
        (" 2025-03-01 23:45 ", "2025-03-01T23:45:00"),
        ("2025-03-01T00:00:30.5", "2025-03-01T00:00:30.500000"),
        ("2025-03-01T00:00Z", "2025-03-01T00:00:00+00:00"),
        ("2025-03-01 00:00:00z", "2025-03-01T00:00:00+00:00"),
        ("2025-03-01T00:00-07:00", "2025-03-01T00:00:00-07:00"),
        ("2025-03-01 00:00 +0530", "2025-03-01T00:00:00+05:30"),
    ],
)
def test_one_form_is_read(text, iso):
    assert parse_stamp(text).isoformat() == iso


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", "^is empty"),
        ("2025-03-01T24:00", "is where a day ends: write an interval that starts then as 00:00 of"),
        ("03/01/2025 00:00", "may mean the month or the day"),
        ("1.3.2025 0:00", "may mean the month or the day"),
        ("01-03-2025 00:00", "may mean the month or the day"),
        ("03/01/2025 12:00:00 AM", "with AM and PM: write 2025-03-01T00:00, with hours"),
        ("2025-03-01 1:00 pm", "with AM and PM"),
        ("2025/03/01 00:00", "has no dashes"),
        ("20250301T0000", "has no dashes and colons"),
        ("202503010000", "has no dashes and colons"),
        ("2025-03-01", "is a date without a time"),
        ("20250301", "is a date without a time"),
        ("2025-03-01-05:00", "is no date and time"),  # XML's date with a zone
        ("45717.0416667", "spreadsheet's number of a day"),
        ("1740787200", "seconds or milliseconds since 1970"),
        ("1740787200000", "seconds or milliseconds since 1970"),
        ("2025-03-01T00:00[Europe/Berlin]", "names a zone"),
        ("2025-03-01 00:00 CET", "names a zone"),
        ("2025-02-30T00:00", "is no date and time"),
        ("2025-03-01T25:00", "is no date and time"),
        ("2025-03-01T00:00:00+01:00:30", "is no date and time"),
        ("2025-W09-6T00:00", "is no date and time"),
        ("Total", "is no date and time"),
        ("٢٠٢٥-03-01T00:00", "is no date and time"),
    ],
)
def test_another_form_is_refused_with_what_it_seems_to_be(text, meaning):
    with pytest.raises(ValueError, match=meaning):
        parse_stamp(text)


@pytest.mark.parametrize(
    ("text", "at_end"),
    [
        ("2025-03-01T24:00", True), ("2025-03-01 24:00:00", True), ("03/01/2025 24:00", True),
        ("2025-03-01T23:00", False), ("2025-03-01T24:15", False), ("24:00", False), ("", False),
    ],
)  # fmt: skip
def test_24_00_is_the_end_of_a_day(text, at_end):
    assert is_end_of_day(text) is at_end


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("1,5", "is '1,5', which has a decimal comma: write 1.5"),
        (",5", "has a decimal comma"),
        ("1.234,5", "has a decimal comma and marks between thousands"),
        ("1 234,5", "has a decimal comma and marks between thousands"),
        ("1,234.5", "has commas between thousands"),
        ("1'234.5", "has marks between thousands"),
        ("1\u00a0234", "has marks between thousands"),
        ("", "is empty: a value that is missing is not zero"),
        ("  ", "is empty"),
        ("N/A", "is no number: a value that is missing"),
        ("--", "is no number: a value that is missing"),
        ("(1.5)", "write -1.5"),
        ("1.5-", "write -1.5"),
        ("−1.5", "write -1.5"),  # a minus sign as typographers have it
        ("1.5 kWh", "has a unit or a sign beside the number"),
        ("$0.10", "has a unit or a sign beside the number"),
        ("x" * 90, f"is '{'x' * 40}', not a number"),
    ],
)
def test_what_a_text_that_is_no_number_was_meant_to_be(text, meaning):
    assert meaning in not_a_number(text)
