"""What a spreadsheet must not take for a formula, whoever writes its cells."""

import re

FORMULA = r"^[=+\-@\t\r]"
"""A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection")."""


def text_cell(text: str) -> str:
    """The text, as no spreadsheet takes for a formula."""
    return f"'{text}" if re.match(FORMULA, text) else text
