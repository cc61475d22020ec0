"""Uploads of prices: taking them in by interval or by day, and what they change.

Owns which interval of which local day a price belongs to, on days of 23 and 25 hours too, and what
a correction changes. Refuses prices that fit no interval and two prices for one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gridtally.files.stamps import parse_stamp
from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.periods import local_date, midnight_utc, zone_named
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.domain.prices import PriceDay, Prices, scaled, slots_on

PRICES_PER_UPLOAD_MAX = 40_000
"""A year of 15 minutes, or four months of 5, with room."""
DAYS_PER_UPLOAD_MAX = 1100
FAULTS_MAX = 100
"""After so many faults the rest of an upload is not looked at."""
INSTANT_STEP = timedelta(microseconds=1)
"""The least time between two instants that the database tells apart."""


@dataclass(frozen=True, slots=True)
class ChangedDay:
    """A day whose prices become those of its next version."""

    day: date
    version: int
    prices: Prices


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an upload does: the days that change, and how many of its prices are new, correct one
    that was known, or repeat it."""

    days: tuple[ChangedDay, ...]
    new: int
    corrected: int
    unchanged: int


class Upload:
    """Prices on their way in, by day and interval: one price for each, and a bounded number.

    Faults are gathered, and `by_day` reports them together.
    """

    def __init__(self, series: PriceSeries) -> None:
        self._series = series
        self._prices: dict[date, dict[int, int]] = {}
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
            slots = [self._slot_of(at) for at in self._instants(start, in_utc=in_utc)]
            free = [(day, slot) for day, slot in slots if slot not in self._prices.get(day, ())]
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
        elif day in self._prices:
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
        return self._prices

    def _put(self, path: str, day: date, slot: int, price: str, name: str = "/price") -> None:
        try:
            self._prices.setdefault(day, {})[slot] = scaled(price)
        except ValueError as error:
            self.refuse(f"{path}{name}", str(error))
        self._count += 1
        if self._count > PRICES_PER_UPLOAD_MAX:
            detail = f"an upload has at most {PRICES_PER_UPLOAD_MAX} prices"
            raise Rejected("too_many_prices", detail)
        if len(self._prices) > DAYS_PER_UPLOAD_MAX:
            raise Rejected("too_many_days", f"an upload has at most {DAYS_PER_UPLOAD_MAX} days")

    # A local time is tried as both of the instants that it can stand for. Where the clock repeats
    # the hour, both read as that time; where it skips the hour, neither does; on all other days
    # they are the same instant.
    def _instants(self, start: str, *, in_utc: bool) -> list[datetime]:
        """The instants that `start` can stand for: one, or two where the local clock repeats it."""
        try:
            time = parse_stamp(start)
            if time.tzinfo is None and in_utc:
                time = time.replace(tzinfo=UTC)
            if time.tzinfo is not None:
                return [time.astimezone(UTC)]
            zone = zone_named(self._series.zone)
            both = [time.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
            read_back = [at.astimezone(zone).replace(tzinfo=None) for at in both]
        except OverflowError:
            raise ValueError(f"{start[:40]!r} is no date and time") from None
        instants = [at for at, local in zip(both, read_back, strict=True) if local == time]
        if not instants:
            raise ValueError(f"{start} does not exist in {self._series.zone}")
        return instants

    def _slot_of(self, at: datetime) -> tuple[date, int]:
        """The local day that an instant lies in, and the interval of it that begins there."""
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

    `uploaded` has scaled prices by day and interval, `known` the newest version of every day of the
    upload that has one.
    """
    days: list[ChangedDay] = []
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
            days.append(ChangedDay(day, before.version + 1 if before else 1, tuple(merged)))
    return Outcome(tuple(days), new, corrected, unchanged)


def recorded_at(known: Mapping[date, PriceDay], now: datetime) -> datetime:
    """The instant at which an upload is recorded: later than every version of its days.

    Uploads wait for one another, and the clocks of processes differ, so a request that began first
    may be recorded last. Its versions are the later ones all the same, so that `as_of` finds each.
    """
    return max([now, *(day.recorded_at + INSTANT_STEP for day in known.values())])
