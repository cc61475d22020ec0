"""The rules by name: what each measures, its usual limit, and which flows it is meant for.

A rule holds a number against a limit, and speaks from the limit on. `least` keeps small energies
out of it, in Wh (varh of a reactive flow): of the interval or of the day, as the rule says.
"""

from dataclasses import dataclass
from typing import Literal, get_args

RuleName = Literal[
    "spike",
    "physical_limit",
    "zero_run",
    "flat_run",
    "gap",
    "overlap",
    "back_feed",
    "dark_energy",
    "exchange_jump",
    "multiplier",
    "wrong_sign",
    "clock_drift",
    "repeated_hour",
    "unusual_use",
    "tamper",
    "register_sum",
]
RULE_NAMES: tuple[RuleName, ...] = get_args(RuleName)
JUDGED_ELSEWHERE: tuple[RuleName, ...] = ("tamper", "register_sum")
"""Rules that hold a day against something else than days: its readings can only be flagged."""
NOT_SEEN_IN_DAYS: tuple[RuleName, ...] = ("overlap", *JUDGED_ELSEWHERE)
"""Rules of which a later look at the day alone sees nothing."""
ALL_FLOWS = ("import", "export", "load", "generation", "reactive_import", "reactive_export")
_USE = ("import", "load")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule measures (a sentence), in which unit, from which limit on it speaks unless
    somebody says otherwise, the energy below which it does not look, and the flows it is for."""

    name: RuleName
    meaning: str
    unit: str
    limit: float
    least: float = 0.0
    flows: tuple[str, ...] = ALL_FLOWS


RULES: dict[RuleName, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "spike",
            "the highest interval of a day, in medians of the highest intervals of the days before",
            "times",
            4.0,
            500.0,
        ),
        Rule(
            "physical_limit",
            "the highest interval of a day, in percent of what the channel can carry",
            "percent",
            95.0,
        ),
        Rule("zero_run", "hours in a row without energy", "hours", 24.0, 0.0, _USE),
        Rule("flat_run", "hours in a row with the same energy, above nothing", "hours", 6.0, 10.0),
        Rule("gap", "intervals that are missing between others of a day", "intervals", 1.0),
        Rule(
            "overlap",
            "intervals in which a block differs from what was there, beside intervals that it adds",
            "intervals",
            1.0,
        ),
        Rule(
            "back_feed",
            "a day's exported energy of a meter that has no channel for generation",
            "Wh",
            100.0,
            0.0,
            ("export",),
        ),
        Rule(
            "dark_energy",
            "energy from 23:00 to 03:00 of a channel that measures the sun",
            "Wh",
            50.0,
            0.0,
            ("generation",),
        ),
        Rule(
            "exchange_jump",
            "how many times more or less a day has than the days before an exchange of its meter",
            "times",
            3.0,
            500.0,
        ),
        Rule(
            "multiplier",
            "how many times more or less a day has than the days before, near a power of ten, in "
            "all of its hours",
            "times",
            5.0,
            500.0,
        ),
        Rule(
            "wrong_sign",
            "how much more a day is like those of the opposite flow than like its own, 0 to 1",
            "share",
            0.2,
            500.0,
            ("import", "export", "load", "generation"),
        ),
        Rule(
            "clock_drift",
            "how much better a week fits its channel when shifted by an hour, up to 1",
            "share",
            0.06,
            500.0,
            ("import", "load", "generation"),
        ),
        Rule(
            "repeated_hour",
            "percent of the hour that the clocks repeat that is a copy of the hour before",
            "percent",
            100.0,
            1.0,
        ),
        Rule(
            "unusual_use",
            "how many times more or less a quarter of the day has than the same hours of the same "
            "weekday of earlier weeks",
            "times",
            5.0,
            1_000.0,
            ("import", "load"),
        ),
        Rule(
            "tamper",
            "events of tampering that the meter noted on a day (a cover opened, a magnetic field, "
            "reverse run); the readings stay",
            "events",
            1.0,
        ),
        Rule(
            "register_sum",
            "percent by which the intervals between two readings of the register differ from what "
            "it counted, beyond its last decimal and what intervals that a reading divides leave "
            "open; the readings stay",
            "percent",
            1.0,
            500.0,
        ),
    )
}
