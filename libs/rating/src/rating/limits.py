"""What names, rates and loads may look like, so that every amount stays exact.

With these limits no product of quantity, rate and tax needs more than the 50 digits of
`kernel.money.EXACT`, and rating traps whatever would.
"""

import re
from datetime import date
from decimal import Decimal

from kernel.money import DECIMALS_MAX

COMPONENTS_MAX = 100
WINDOWS_MAX = 200
BANDS_MAX = 100
SEASONS_MAX = 12
DAY_TYPES_MAX = 24
HOLIDAY_DATES_MAX = 1000
PAYEE_CHARS_MAX = 100
RATE_MAX = Decimal(10**9)
CONNECTED_KW_MAX = Decimal(10**6)
CONNECTED_KW_DECIMALS_MAX = 3
FIRST_ON, LAST_ON = date(1900, 1, 1), date(2201, 1, 1)
"""Between them lie the days that can be billed: calendars and clocks of others end somewhere."""
ROUNDING_ID = "rounding"
"""The component id of the line that a bill with one rounding at its total adds."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def check_name(what: str, name: str) -> None:
    """ValueError unless `name` is 1 to 64 letters, digits, `_`, `.`, `:` or `-`."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{what} {name!r} must be 1 to 64 letters, digits, '_', '.', ':' or '-'")


def check_component(component_id: str, payee: str | None, tax_class: str | None) -> None:
    """ValueError unless what every component carries is well formed."""
    check_name("id", component_id)
    if component_id == ROUNDING_ID:
        raise ValueError(f"id {ROUNDING_ID!r} is kept for the line that rounds a bill's total")
    if tax_class is not None:
        check_name("tax class", tax_class)
    if payee is not None and not 1 <= len(payee) <= PAYEE_CHARS_MAX:
        raise ValueError(f"payee must be 1 to {PAYEE_CHARS_MAX} characters long")


def check_rate(rate: Decimal) -> None:
    """ValueError unless `rate` is finite, below 10⁹ and has at most 8 decimals."""
    if not rate.is_finite() or abs(rate) >= RATE_MAX or decimals_in(rate) > DECIMALS_MAX:
        raise ValueError(
            f"rate {rate} must be below {RATE_MAX} with at most {DECIMALS_MAX} decimals"
        )


def check_connected_kw(connected_kw: Decimal) -> None:
    """ValueError unless the connected load is whole watts from 0 up to a million kW."""
    if (
        not connected_kw.is_finite()
        or not 0 <= connected_kw < CONNECTED_KW_MAX
        or decimals_in(connected_kw) > CONNECTED_KW_DECIMALS_MAX
    ):
        raise ValueError(
            f"connected load {connected_kw} kW must be 0 or more, below {CONNECTED_KW_MAX}, "
            f"with at most {CONNECTED_KW_DECIMALS_MAX} decimals"
        )


def check_days(start_on: date, end_on: date) -> None:
    """ValueError for local days that no bill can be for."""
    if not FIRST_ON <= start_on <= end_on <= LAST_ON:
        raise ValueError(f"{start_on} to {end_on} must lie between {FIRST_ON} and {LAST_ON}")


def decimals_in(number: Decimal) -> int:
    """How many decimals a finite number is written with."""
    exponent = number.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
