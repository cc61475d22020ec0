"""Numbers, money, energy and moments as people read them. No float touches a digit."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from gridtally.kernel.money import shown_currency

MINUS = "−"
NONE = "–"
CENTS = Decimal("0.01")
ID_CHARS = 8


def number(value: Decimal | int | str | None) -> str:
    """`1234.50` as `1,234.50`: every digit stays, thousands are set apart; `–` for none."""
    if value is None:
        return NONE
    text = f"{Decimal(value):,f}"
    return MINUS + text[1:] if text.startswith("-") else text


def money(value: Decimal | int | str | None, currency: str = "") -> str:
    """An amount with two decimals at least, and its currency after it, where it has one."""
    if value is None:
        return NONE
    amount = Decimal(value)
    if amount == amount.quantize(CENTS):
        amount = amount.quantize(CENTS)
    return f"{number(amount)} {shown_currency(currency)}".rstrip()


def kwh_of(wh: int | None) -> Decimal | None:
    """Watt-hours as kWh, exactly."""
    return None if wh is None else Decimal(wh) / 1000


def energy(kwh: Decimal | int | str | None) -> str:
    """kWh with all their decimals, at most three zeros dropped."""
    if kwh is None:
        return NONE
    amount = Decimal(kwh).normalize()
    return number(amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount)


def count(value: int, noun: str, nouns: str | None = None) -> str:
    """`1 invoice`, `2 invoices`."""
    return f"{number(value)} {noun if value == 1 else nouns or noun + 's'}"


def duration(seconds: int) -> str:
    """A length of time in whole days, hours or minutes, whichever is exact."""
    for length_s, noun in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % length_s == 0:
            return count(seconds // length_s, noun)
    return count(seconds, "second")


def moment(text: str | datetime) -> datetime:
    """An instant of the APIs."""
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def instant(text: str | datetime | None, zone: str = "UTC") -> Markup:
    """`29 Nov 2026, 00:47 UTC` in a `<time>`, with the exact instant behind it."""
    if text is None:
        return Markup(NONE)  # noqa: S704 - a constant
    exact = moment(text).astimezone(UTC)
    local = exact.astimezone(ZoneInfo(zone))
    shown = f"{local.day} {local:%b %Y, %H:%M}"
    name = "UTC" if zone == "UTC" else local.tzname() or zone
    return Markup('<time datetime="{}" title="{}">{} {}</time>').format(
        exact.isoformat(), f"{exact:%Y-%m-%d %H:%M:%S} UTC", shown, escape(name)
    )


def day(text: str | date | None) -> str:
    """`29 Nov 2026`."""
    if text is None:
        return NONE
    local = text if isinstance(text, date) else date.fromisoformat(text)
    return f"{local.day} {local:%b %Y}"


def period(start: str, end: str) -> str:
    """A half-open period: `Oct 2025` for a month, else its first and last day."""
    first, last = date.fromisoformat(start), date.fromisoformat(end) - timedelta(days=1)
    next_month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    if first.day == 1 and last + timedelta(days=1) == next_month:
        return f"{first:%b %Y}"
    return f"{day(first)} {NONE} {day(last)}"


def short(identifier: str) -> str:
    """The first characters of an id, which is enough to tell a few apart."""
    return identifier[:ID_CHARS]


def words(code: str) -> str:
    """`part_paid` as `part paid`."""
    return code.replace("_", " ")


def is_zero(value: Decimal | int | str) -> bool:
    """Whether an amount is nothing."""
    return Decimal(value) == 0


def decimal(text: str | Decimal) -> Decimal:
    """A decimal of the APIs, exactly."""
    return Decimal(text)


def share(part: int | None, whole: int | None) -> str:
    """`2,976 of 2,976`."""
    return f"{number(part)} of {number(whole)}"


def cents(value: Decimal | str, currency: str = "") -> Markup:
    """An exact amount to the cent, half up, with all its digits behind it."""
    exact = Decimal(value)
    shown = f"{number(exact.quantize(CENTS, ROUND_HALF_UP))} {currency}".rstrip()
    if exact == exact.quantize(CENTS):
        return escape(shown)
    return Markup('<data value="{}" title="exactly {}">{}</data>').format(
        value, number(exact), shown
    )
