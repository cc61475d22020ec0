"""Prices of a series by local day: taking them in, correcting them, finding what is missing.

Owns which interval of which day a price belongs to, on days of 23 and 25 hours too, and what a
correction changes. Prices are integers of 10⁻⁸ of the currency per kWh, so that nothing is rounded.
Refuses prices that fit no interval and two prices for one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from kernel.errors import Fault, Rejected
from kernel.money import DECIMALS_MAX, parse_measured
from kernel.periods import Period, local_date, midnight_utc, slots_in_day, zone_named
from rating.prices import check_price
from tariff.domain.catalogue import PriceSeries

PRICES_PER_UPLOAD_MAX = 40_000
"""A year of 15 minutes, with room."""
DAYS_PER_UPLOAD_MAX = 1100
FAULTS_MAX = 100
"""After so many faults the rest of an upload is not looked at."""
DAYS_MAX = 1100
"""Three years of days are read at once."""
FIRST_ON, LAST_ON = date(1900, 1, 1), date(2200, 1, 1)
"""Nobody knows the clock changes of other days."""
Prices = tuple[int | None, ...]
"""One per interval of a day; None where none is known."""


@dataclass(frozen=True, slots=True)
class PriceDay:
    """The prices of a local day as one version of it; versions count from 1."""

    day: date
    version: int
    prices: Prices
    recorded_at: datetime
    key_id: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A day whose prices become those of its next version."""

    day: date
    version: int
    prices: Prices


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an upload does: the days that change, and how many of its prices were what."""

    days: tuple[Changed, ...]
    new: int
    corrected: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Consecutive intervals without a price: UTC instants, `end_at` not included."""

    start_at: datetime
    end_at: datetime
    intervals: int


class Upload:
    """Prices on their way in, by day and interval. One price for each, and a bounded number.

    Faults are gathered and told together by `by_day`.
    """

    def __init__(self, series: PriceSeries) -> None:
        self._series = series
        self._found: dict[date, dict[int, int]] = {}
        self._count = 0
        self._faults: list[Fault] = []

    @property
    def is_hopeless(self) -> bool:
        """Whether so much is wrong that the rest need not be looked at."""
        return len(self._faults) >= FAULTS_MAX

    def refuse(self, path: str, detail: str) -> None:
        """Note what is wrong at `path` of the input."""
        if not self.is_hopeless:
            self._faults.append(Fault(path, detail))

    def add(self, path: str, start: str, price: str, *, in_utc: bool = False) -> None:
        """The price of the interval that starts at `start`, an ISO 8601 date and time.

        Without an offset it is local time of the series, or UTC; where the local clock repeats an
        hour it is the first of the two that has no price in this upload yet.
        """
        try:
            places = [self._place(at) for at in self._instants(start, in_utc=in_utc)]
            free = [(day, slot) for day, slot in places if slot not in self._found.get(day, ())]
            if not free:
                raise ValueError(f"{start} has a price already")
        except ValueError as error:
            self.refuse(f"{path}/start", str(error))
            return
        self._put(path, *free[0], price)

    def add_day(self, path: str, day: date, prices: Sequence[str | None]) -> None:
        """The prices of a whole local day in order; None leaves what is known."""
        try:
            expected = slots_on(self._series, day)
        except (ValueError, OverflowError) as error:
            self.refuse(f"{path}/day", str(error))
            return
        if len(prices) != expected:
            self.refuse(f"{path}/prices", f"{day} has {expected} intervals, not {len(prices)}")
        elif day in self._found:
            self.refuse(f"{path}/day", f"{day} has prices already")
        else:
            for slot, price in enumerate(prices):
                if price is not None:
                    self._put(f"{path}/prices/{slot}", day, slot, price, name="")

    def by_day(self) -> Mapping[date, Mapping[int, int]]:
        """The scaled prices by day and interval; Rejected where anything is wrong."""
        if self._count == 0 and not self._faults:
            self.refuse("", "there is no price")
        if self._faults:
            detail = f"{len(self._faults)} fault(s), the first: {self._faults[0].detail}"
            raise Rejected("invalid_prices", detail, tuple(self._faults))
        return self._found

    def _put(self, path: str, day: date, slot: int, price: str, name: str = "/price") -> None:
        try:
            self._found.setdefault(day, {})[slot] = scaled(price)
        except ValueError as error:
            self.refuse(f"{path}{name}", str(error))
        self._count += 1
        if self._count > PRICES_PER_UPLOAD_MAX:
            detail = f"an upload has at most {PRICES_PER_UPLOAD_MAX} prices"
            raise Rejected("too_many_prices", detail)
        if len(self._found) > DAYS_PER_UPLOAD_MAX:
            raise Rejected("too_many_days", f"an upload has at most {DAYS_PER_UPLOAD_MAX} days")

    def _instants(self, start: str, *, in_utc: bool) -> list[datetime]:
        """The instant that is meant: one of two where the local clock repeats it."""
        try:
            given = datetime.fromisoformat(start)
            if given.tzinfo is None and in_utc:
                given = given.replace(tzinfo=UTC)
            if given.tzinfo is not None:
                return [given.astimezone(UTC)]
            zone = zone_named(self._series.zone)
            both = [given.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
            shown = [at.astimezone(zone).replace(tzinfo=None) for at in both]
        except (ValueError, OverflowError):
            raise ValueError(f"{start[:40]!r} is no date and time") from None
        instants = [at for at, local in zip(both, shown, strict=True) if local == given]
        if not instants:
            raise ValueError(f"{start} does not exist in {self._series.zone}")
        return instants

    def _place(self, at: datetime) -> tuple[date, int]:
        series = self._series
        try:
            day = local_date(series.zone, at)
            slots_on(series, day)
            since = at - midnight_utc(series.zone, day)
        except OverflowError:
            raise ValueError("lies too far from today") from None
        slot, rest = divmod(since, timedelta(minutes=series.minutes))
        if rest:
            raise ValueError(f"{at:%Y-%m-%dT%H:%M:%SZ} is not where {series.minutes} minutes begin")
        return day, slot


def merge(
    series: PriceSeries,
    uploaded: Mapping[date, Mapping[int, int]],
    known: Mapping[date, PriceDay],
) -> Outcome:
    """What an upload makes of the days as they are known: a price that is the same changes nothing.

    `known` holds the newest version of every day of the upload that has one.
    """
    days: list[Changed] = []
    new = corrected = unchanged = 0
    for day, prices in sorted(uploaded.items()):
        before = known.get(day)
        merged = list(before.prices if before else [None] * slots_on(series, day))
        for slot, price in prices.items():
            new += merged[slot] is None
            corrected += merged[slot] not in (None, price)
            unchanged += merged[slot] == price
            merged[slot] = price
        if before is None or tuple(merged) != before.prices:
            days.append(Changed(day, before.version + 1 if before else 1, tuple(merged)))
    return Outcome(tuple(days), new, corrected, unchanged)


def gaps(series: PriceSeries, period: Period, known: Mapping[date, Prices]) -> list[Gap]:
    """The intervals of a period without a price, those next to one another as one.

    A day that the series' intervals do not fill, such as one of 23½ hours, can have no prices and
    is no gap.
    """
    step = timedelta(minutes=series.minutes)
    found: list[Gap] = []
    for day in period.dates():
        begin_at = midnight_utc(series.zone, day)
        try:
            prices = known.get(day) or (None,) * slots_on(series, day)
        except ValueError:
            continue
        for slot, price in enumerate(prices):
            if price is not None:
                continue
            start_at = begin_at + slot * step
            if found and found[-1].end_at == start_at:
                last = found.pop()
                found.append(Gap(last.start_at, start_at + step, last.intervals + 1))
            else:
                found.append(Gap(start_at, start_at + step, 1))
    return found


@lru_cache(maxsize=4096)
def slots_on(series: PriceSeries, day: date) -> int:
    """How many prices a local day has; ValueError where the intervals do not fill it, and for a
    day too far from today."""
    if not FIRST_ON <= day < LAST_ON:
        raise ValueError(f"must lie between {FIRST_ON} and {LAST_ON}")
    return slots_in_day(series.zone, day, series.minutes)


def scaled(price: str) -> int:
    """A price per kWh as an integer of 10⁻⁸; ValueError beyond 8 decimals or a million."""
    number = parse_measured(price)
    check_price(number)
    return int(number.scaleb(DECIMALS_MAX))


def unscaled(price: int) -> Decimal:
    """The price that an integer stands for, without zeros at its end."""
    number = Decimal(price).scaleb(-DECIMALS_MAX).normalize()
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number
