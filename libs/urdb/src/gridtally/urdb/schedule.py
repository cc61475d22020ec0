"""Schedules: a record's 12 × 24 tables as seasons, day types and windows of a native tariff.

Convention: hours are local hour-beginnings (row 17 is 17:00 to 18:00), weekends are Saturday and
Sunday; whether holidays are such too is a choice of the import's caller.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from gridtally.kernel.errors import Fault
from gridtally.rating.field_types import WINDOWS_MAX
from gridtally.urdb.record import HOURS, MONTHS, invalid

WEEKDAY, WEEKEND = "weekday", "weekend"
HolidayRule = Literal["by_weekday", "weekend"]
"""What a holiday on a weekday is: an ordinary day, or one of the weekend's."""
MONTH_NAMES = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)


@dataclass(frozen=True, slots=True)
class Season:
    """Consecutive months (0 is January) of the year in which rates are the same."""

    name: str
    first: int
    months: frozenset[int]

    @property
    def document(self) -> dict[str, str]:
        """Its JSON form in a calendar."""
        return {"name": self.name, "start": f"{self.first + 1:02}-01"}


@dataclass(frozen=True, slots=True)
class Table:
    """The period of each month and hour on weekdays and weekends."""

    weekday: Sequence[Sequence[int]]
    weekend: Sequence[Sequence[int]]

    def of_month(self, month: int) -> Hashable:
        """All that is in it for a month, to compare with other months."""
        return tuple(self.weekday[month]), tuple(self.weekend[month])

    def used(self) -> list[int]:
        """Its periods, the one with the most hours first."""
        hours: Counter[int] = Counter()
        for rows, days in ((self.weekday, 5), (self.weekend, 2)):
            for row in rows:
                hours.update({period: days * count for period, count in Counter(row).items()})
        return sorted(hours, key=lambda period: (-hours[period], period))


def day_types(holidays: HolidayRule) -> list[dict[str, object]]:
    """The two day types of a record, in JSON."""
    as_weekend = holidays == "weekend"
    return [
        {
            "name": WEEKDAY,
            "weekdays": ["mon", "tue", "wed", "thu", "fri"],
            "holidays": "excluded" if as_weekend else "by_weekday",
        },
        {
            "name": WEEKEND,
            "weekdays": ["sat", "sun"],
            "holidays": "included" if as_weekend else "by_weekday",
        },
    ]


def all_day(months: Sequence[int]) -> Table:
    """The table of a charge that goes by the month alone."""
    rows = [[period] * HOURS for period in months]
    return Table(rows, rows)


def seasons_of(tables: Sequence[Table]) -> list[Season]:
    """The runs of months in which no table differs; none where the whole year is the same."""
    charged = [tuple(table.of_month(month) for table in tables) for month in range(MONTHS)]
    changes = [month for month in range(MONTHS) if charged[month] != charged[month - 1]]
    seasons = []
    for season_index, first in enumerate(changes):
        following = changes[(season_index + 1) % len(changes)]
        length = (following - first) % MONTHS or MONTHS
        months = [(first + offset) % MONTHS for offset in range(length)]
        name = MONTH_NAMES[first]
        if length > 1:
            name += f"-{MONTH_NAMES[months[-1]]}"
        seasons.append(Season(name, first, frozenset(months)))
    return seasons


def windows_of(
    table: Table, seasons: Sequence[Season], bands: Mapping[int, str], field: str
) -> list[dict[str, object]]:
    """Windows for the periods that have a band, as few as cover the same hours."""
    days_of: dict[tuple[int, int, int], dict[str, set[str]]] = {}
    for season in seasons or [Season("", 0, frozenset())]:
        for day_type, rows in ((WEEKDAY, table.weekday), (WEEKEND, table.weekend)):
            hour = 0
            for period, run in groupby(rows[season.first]):
                start, hour = hour, hour + len(list(run))
                if period in bands:
                    days = days_of.setdefault((start, hour, period), {})
                    days.setdefault(season.name, set()).add(day_type)
    windows = []
    for (start, end, period), day_types_of in days_of.items():
        names_by_days: dict[frozenset[str], list[str]] = {}
        for name, named in day_types_of.items():
            names_by_days.setdefault(frozenset(named), []).append(name)
        for day_types, names in names_by_days.items():
            all_year = len(names) == max(len(seasons), 1)
            window: dict[str, object] = {
                "band": bands[period],
                "from_time": f"{start:02}:00",
                "to_time": f"{end:02}:00",
            }
            if not all_year:
                window["seasons"] = names
            if len(day_types) == 1:
                window["day_types"] = sorted(day_types)
            windows.append(window)
    if len(windows) > WINDOWS_MAX:
        raise invalid([Fault(f"/{field}", f"needs more than {WINDOWS_MAX} windows")])
    return windows
