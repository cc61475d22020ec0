"""Measures the rules for readings: time per reading, and what they find of planted errors.

Houses of a standard load profile with habits, appliances, absences and some solar panels live for
nine weeks; then a fortnight is judged in which errors are planted, one rule's at a time. Precision
and recall count channel-days: a verdict on a day without an error is a false alarm. The table of
docs/validation.md is what this prints. No server is needed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from time import process_time
from uuid import UUID

import numpy as np
import numpy.typing as npt
import register_sums
import script

from gridtally.kernel.periods import Period
from gridtally.metering.validation.batch import MISSING, ChannelDays
from gridtally.metering.validation.history import Histories, empty_histories
from gridtally.metering.validation.judge import Limits, judge
from gridtally.metering.validation.rules import RULE_NAMES, RULES, RuleName
from gridtally.simulation.profiles.house import HouseShape, profile_of

SEED = 14
ZONE = "Europe/Berlin"
FIRST = date(2025, 5, 1)
WEEKS_BEFORE, DAYS_JUDGED = 9, 14
HOUSES = script.sized(300, least=30)
SPEED_CHANNELS = script.sized(10_000, least=200)
PLANTED_SHARE = 0.2
ROUNDS = 5
SLOTS = 96
Values = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Flow:
    """What houses measure of one flow: houses × days × slots, and the first local day."""

    values: Values
    first_on: date = FIRST


def houses(chance: np.random.Generator) -> tuple[Flow, Flow, Flow]:
    """The load, generation and export of all houses, all their days."""
    days = WEEKS_BEFORE * 7 + DAYS_JUDGED
    months = [Period(date(2025, month, 1), date(2025, month + 1, 1)) for month in (5, 6, 7)]
    load, sun = np.empty((HOUSES, days, SLOTS), np.int64), np.empty((HOUSES, days, SLOTS), np.int64)
    for house in range(HOUSES):
        shape = HouseShape(
            latitude=52.0, longitude=13.0, tilt_degrees=35.0, azimuth_degrees=180.0, kwp=6.0,
            annual_kwh=float(chance.lognormal(8.1, 0.4)),
        )  # fmt: skip
        parts = [
            profile_of(ZONE, month, shape, house=UUID(int=house), seed=SEED) for month in months
        ]
        load[house] = np.concatenate([part.load for part in parts])[: days * SLOTS].reshape(
            days, -1
        )
        sun[house] = np.concatenate([part.solar for part in parts])[: days * SLOTS].reshape(
            days, -1
        )
    load = lived_in(load, chance)
    sky = chance.beta(2.5, 1.2, (HOUSES, days, 1)) * chance.lognormal(0, 0.15, sun.shape)
    sun = np.rint(sun * np.minimum(sky, 1.05)).astype(np.int64)
    return Flow(load), Flow(sun), Flow(np.maximum(sun - load, 0))


def lived_in(load: Values, chance: np.random.Generator) -> Values:
    """Days differ, appliances run, and now and then nobody is at home."""
    count, days, _ = load.shape
    lived = load * chance.lognormal(0, 0.2, (count, days, 1))
    for _ in range(3):
        begins = np.clip(chance.normal(64, 14, (count, days)), 0, SLOTS - 6).astype(int)
        runs = chance.random((count, days)) < 0.6
        power = chance.uniform(100, 450, (count, days))
        for offset in range(5):
            rows = np.nonzero(runs)
            lived[rows[0], rows[1], begins[rows] + offset] += power[rows]
    away = chance.random((count, days)) < 0.03
    lived[away] = np.minimum(lived[away], 60 + chance.uniform(0, 20, (int(away.sum()), SLOTS)))
    return np.rint(lived).astype(np.int64)


def columns(values: Values, first_on: date, **changes: object) -> ChannelDays:
    """All houses' days as the rules take them."""
    count, days, slots = values.shape
    total = count * days
    ordinals = np.tile(np.arange(days) + first_on.toordinal(), count)
    zeros = np.zeros(total, np.int64)
    plain = ChannelDays(
        channels=np.repeat(np.arange(count), days), ordinals=ordinals, minutes=zeros + 15,
        slots=zeros + slots, begins=np.arange(total) * slots,
        values=values.reshape(-1).astype(np.int32), kinds=zeros, is_rest=(ordinals + 6) % 7 > 4,
        maxima=np.full(total, 7_500.0), repeated=zeros - 1, overlaps=zeros, exchanged=zeros,
        has_generation=zeros > 0, opposites=zeros - 1,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type] # columns by their names


def limits(*rules: RuleName) -> Limits:
    """These rules are on, with their usual limits."""
    return Limits(
        np.array([[RULES[name].limit if name in rules else np.nan for name in RULE_NAMES]]),
        np.array([[RULES[name].least for name in RULE_NAMES]]),
    )


def before(flow: Flow) -> Histories:
    """What is remembered after the weeks before."""
    days = columns(flow.values[:, : WEEKS_BEFORE * 7], flow.first_on)
    return judge(days, empty_histories(len(flow.values)), limits()).histories


Plant = Callable[[Values, np.random.Generator], Values]
"""An error in some days (days × slots), which are changed ones."""


def _spike(days: Values, chance: np.random.Generator) -> Values:
    days[np.arange(len(days)), chance.integers(0, SLOTS, len(days))] = chance.uniform(
        4_500, 7_400, len(days)
    )
    return days


def _run(value: int | None, hours: int) -> Plant:
    def plant(days: Values, chance: np.random.Generator) -> Values:
        for row in days:
            begin = int(chance.integers(0, SLOTS - hours * 4 + 1))
            row[begin : begin + hours * 4] = max(int(row[begin]), 20) if value is None else value
        return days

    return plant


def _hole(days: Values, chance: np.random.Generator) -> Values:
    for row in days:
        begin = int(chance.integers(1, 80))
        row[begin : begin + int(chance.integers(1, 12))] = MISSING
    return days


def _scaled(factor: float) -> Plant:
    return lambda days, _: np.rint(days * factor).astype(np.int64)


def _shifted(days: Values, chance: np.random.Generator) -> Values:
    return np.roll(days, 4 if chance.random() < 0.5 else -4, axis=1)


def _lit(days: Values, _: np.random.Generator) -> Values:
    return np.roll(days, 48, axis=1)


@dataclass(frozen=True, slots=True)
class Planting:
    """A rule, the flow that it is measured on, the error, and for how many days it lasts."""

    rule: RuleName
    error: str
    flow: Flow
    plant: Plant
    days: int = 1


def found(planting: Planting, chance: np.random.Generator, **changes: object) -> dict[str, float]:
    """What a rule says of a fortnight in which some houses have the error."""
    histories = before(planting.flow)
    judged_on = FIRST + timedelta(weeks=WEEKS_BEFORE)
    values = planting.flow.values[:, WEEKS_BEFORE * 7 :].copy()
    is_wrong = np.zeros(values.shape[:2], np.bool_)
    for house in np.flatnonzero(chance.random(len(values)) < PLANTED_SHARE).tolist():
        begin = int(chance.integers(0, DAYS_JUDGED - planting.days + 1))
        part = slice(begin, begin + planting.days)
        values[house, part] = planting.plant(values[house, part], chance)
        is_wrong[house, part] = True
    verdicts = judge(
        columns(values, judged_on, **changes), histories, limits(planting.rule)
    ).verdicts
    is_said = np.zeros(is_wrong.size, np.bool_)
    is_said[[verdict.day for verdict in verdicts]] = True
    is_said = is_said.reshape(is_wrong.shape)
    said, right = int(is_said.sum()), int((is_said & is_wrong).sum())
    houses_wrong = is_wrong.any(axis=1)
    houses_right = (is_said & is_wrong).any(axis=1)
    return {
        "planted_days": int(is_wrong.sum()),
        "said_days": said,
        "precision": round(right / said, 3) if said else 1.0,
        "recall_days": round(right / int(is_wrong.sum()), 3),
        "recall_errors": round(int(houses_right.sum()) / int(houses_wrong.sum()), 3),
        "false_alarms_per_1000_days": round(1000 * (said - right) / int((~is_wrong).sum()), 2),
    }


def speed(load: Flow) -> dict[str, float]:
    """Microseconds of the processor per reading, of one day of many channels, all rules on."""
    histories = np.resize(before(load), SPEED_CHANNELS)
    values = np.resize(load.values[:, -1], (SPEED_CHANNELS, 1, SLOTS))
    days = columns(values, FIRST + timedelta(weeks=WEEKS_BEFORE, days=DAYS_JUDGED - 1))
    on = limits(*(name for name in RULE_NAMES if name not in ("back_feed", "dark_energy")))
    times = []
    for _ in range(ROUNDS):
        start = process_time()
        judge(days, histories, on)
        times.append(process_time() - start)
    return {
        "channel_days": SPEED_CHANNELS,
        "us_per_reading": round(min(times) * 1e6 / days.values.size, 3),
        "slowest_us_per_reading": round(max(times) * 1e6 / days.values.size, 3),
    }


def main() -> None:
    """Prints the figures and writes them."""
    target = script.arguments(__doc__).parse_args().json
    chance = np.random.default_rng(SEED)
    load, sun, export = houses(chance)
    nothing = Flow(np.zeros_like(export.values))
    plantings = (
        Planting("spike", "one interval of 18 to 30 kW", load, _spike),
        Planting("physical_limit", "one interval at 95 % of the channel's most", load,
                 lambda days, _: np.where(np.arange(SLOTS) == 40, 7_200, days)),
        Planting("zero_run", "two days without energy", load, _run(0, 24), 2),
        Planting("flat_run", "eight hours of one value", load, _run(None, 8)),
        Planting("gap", "1 to 11 intervals are missing", load, _hole),
        Planting("back_feed", "export of a house that has none", nothing,
                 lambda days, _: days + np.array([[0, 30]] * 48).reshape(1, -1)),
        Planting("dark_energy", "the sun shines at night", sun, _lit),
        Planting("multiplier", "ten times too much", load, _scaled(10), 3),
        Planting("multiplier", "a thousand times too much", load, _scaled(1_000), 3),
        Planting("multiplier", "a tenth", load, _scaled(0.1), 3),
        Planting("unusual_use", "eight times the usual for a day", load, _scaled(8)),
        Planting("unusual_use", "an eighth of the usual for a day", load, _scaled(0.125)),
        Planting("clock_drift", "an hour off for ten days: load", load, _shifted, 10),
        Planting("clock_drift", "an hour off for ten days: solar", sun, _shifted, 10),
    )  # fmt: skip
    figures: dict[str, dict[str, float]] = {"speed": speed(load)}
    for planting in plantings:
        figures[f"{planting.rule}: {planting.error}"] = found(planting, chance)
    figures |= of_pairs(load, sun, export, chance)
    figures |= register_sums.found(load.values[:, WEEKS_BEFORE * 7 :], SEED)
    script.tell(f"seed {SEED}, {HOUSES} houses", figures, target)


def of_pairs(
    load: Flow, sun: Flow, export: Flow, chance: np.random.Generator
) -> dict[str, dict[str, float]]:
    """The rules that know more than a channel: the opposite flow, an exchange, a clock change."""
    imported = Flow(np.maximum(load.values - sun.values, 0))
    both = Flow(np.concatenate((imported.values, export.values)))
    swapped = np.concatenate((export.values, imported.values))[:, WEEKS_BEFORE * 7 :]
    opposites = np.repeat(np.roll(np.arange(2 * HOUSES), HOUSES), DAYS_JUDGED)

    mine = both.values[:, WEEKS_BEFORE * 7 :]

    def swap(days: Values, _: np.random.Generator) -> Values:
        [house] = np.flatnonzero((mine == days[0]).all(axis=2).any(axis=1))[:1]
        [day] = np.flatnonzero((mine[house] == days[0]).all(axis=1))[:1]
        return swapped[house, day : day + len(days)]

    exchanged = np.full(HOUSES * DAYS_JUDGED, (FIRST + timedelta(weeks=WEEKS_BEFORE)).toordinal())
    jump = Planting("exchange_jump", "another factor for six days", load, _scaled(5), 6)
    return {
        "wrong_sign: import and export are swapped for three days": found(
            Planting("wrong_sign", "", both, swap, 3), chance, opposites=opposites
        ),
        "exchange_jump: five times as much after an exchange": found(
            jump, chance, exchanged=exchanged
        ),
    }


if __name__ == "__main__":
    main()
