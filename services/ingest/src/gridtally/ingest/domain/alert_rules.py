"""A tenant's rules for alerts: which kinds there are, and which limit counts for which channel.

A kind that rests on rules for readings has these judge the channels too, where the tenant has said
nothing of them itself, so that nothing is measured twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from gridtally.ingest.domain.validation_rules import Action, RuleSetting
from gridtally.metering.validation.rules import ALL_FLOWS, RULES, RuleName

AlertKind = Literal[
    "missing_readings",
    "dead_meter",
    "stuck_meter",
    "unusual_use",
    "back_feed",
    "clock_drift",
    "conservation",
    "tamper",
]
AlertUnit = Literal["hours", "days", "times", "Wh", "share", "events"]
AlertAction = Literal["off", "raise"]
SILENCE_MAX = 10_000
"""The highest limit of a kind that speaks of silence: an instant beyond the calendar would stop the
loop, which is that of all tenants."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What an alert of the kind says (a sentence), the unit and the usual limit of what it
    measures, the flows that it is for, and the rules for readings that it follows from."""

    name: AlertKind
    meaning: str
    unit: AlertUnit
    limit: Decimal
    flows: tuple[str, ...] = ALL_FLOWS
    rules: tuple[RuleName, ...] = ()

    @property
    def is_silence(self) -> bool:
        """Whether it speaks of readings that do not come."""
        return self.name in ("missing_readings", "dead_meter")

    @property
    def is_of_days(self) -> bool:
        """Whether it speaks of a channel's newest days."""
        return not self.is_silence and self.name != "tamper"


KINDS: dict[AlertKind, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "missing_readings",
            "hours without an actual reading of a channel, since the last one",
            "hours",
            Decimal(36),
        ),
        Kind(
            "dead_meter",
            "days without an actual reading of any channel of a meter",
            "days",
            Decimal(7),
            (),
        ),
        Kind(
            "stuck_meter",
            "hours in a row without energy, or with the same energy",
            "hours",
            Decimal(48),
            rules=("zero_run", "flat_run"),
        ),
        Kind(
            "unusual_use",
            RULES["unusual_use"].meaning,
            "times",
            Decimal(5),
            RULES["unusual_use"].flows,
            ("unusual_use",),
        ),
        Kind(
            "back_feed",
            RULES["back_feed"].meaning,
            "Wh",
            Decimal(100),
            RULES["back_feed"].flows,
            ("back_feed",),
        ),
        Kind(
            "clock_drift",
            RULES["clock_drift"].meaning,
            "share",
            Decimal("0.1"),
            RULES["clock_drift"].flows,
            ("clock_drift",),
        ),
        Kind(
            "conservation",
            "how far a day of a derived meter that is billed lies below zero: its parts have more "
            "than what they are parts of",
            "Wh",
            Decimal(1_000),
            ("export",),
        ),
        Kind(
            "tamper",
            "events of tampering that a meter has noted within the last seven days",
            "events",
            Decimal(1),
            (),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class AlertSetting:
    """What a tenant says of a kind: for all channels that it is for, or for those of a type of
    meters, of a flow, or of both. Without `limit` the usual one counts."""

    kind: AlertKind
    action: AlertAction
    limit: Decimal | None = None
    meter_type: str | None = None
    flow: str | None = None

    @property
    def precedence(self) -> int:
        """The higher one counts: what names more of a channel, and a flow before a type."""
        return 2 * (self.flow is not None) + (self.meter_type is not None)

    def is_for(self, meter_type: str, flow: str | None) -> bool:
        """Whether it is about such a channel, or about such meters as a whole without a flow."""
        if self.meter_type not in (None, meter_type):
            return False
        return flow is None or flow in ((self.flow,) if self.flow else KINDS[self.kind].flows)

    def rule_settings(self) -> list[RuleSetting]:
        """The rules for readings that its alerts follow from, as it needs them."""
        kind = KINDS[self.kind]
        action: Action = "flag" if self.action == "raise" else "off"
        limit = kind.limit if self.limit is None else self.limit
        return [
            RuleSetting.of_decimal(rule, action, limit, self.meter_type, self.flow)
            for rule in kind.rules
            if self.flow is None or self.flow in RULES[rule].flows
        ]


@dataclass(frozen=True, slots=True)
class AlertRules:
    """A tenant's settings, in the version that they have."""

    settings: tuple[AlertSetting, ...] = ()
    version: int = 0

    @property
    def is_off(self) -> bool:
        """Whether no kind is on for any channel."""
        return all(setting.action == "off" for setting in self.settings)

    def limit(self, kind: AlertKind, meter_type: str, flow: str | None) -> Decimal | None:
        """The limit for channels of this flow of such meters, or for such meters without a flow;
        None where the kind is off."""
        own = [
            setting
            for setting in self.settings
            if setting.kind == kind and setting.is_for(meter_type, flow)
        ]
        if not own:
            return None
        # Of several that name as much the last one counts.
        chosen = max(enumerate(own), key=lambda item: (item[1].precedence, item[0]))[1]
        if chosen.action == "off":
            return None
        return KINDS[kind].limit if chosen.limit is None else chosen.limit

    def rule_settings(self) -> tuple[RuleSetting, ...]:
        """The rules for readings that its alerts follow from."""
        return tuple(rule for setting in self.settings for rule in setting.rule_settings())


def flaws(settings: Sequence[AlertSetting]) -> list[str]:
    """What makes no sense in settings, for people."""
    said = []
    for number, setting in enumerate(settings):
        kind = KINDS[setting.kind]
        if setting.flow is not None and setting.flow not in kind.flows:
            flows = f"is for {', '.join(kind.flows)}" if kind.flows else "is about whole meters"
            said.append(f"settings/{number}: {kind.name} {flows}, not {setting.flow}")
        limit = setting.limit
        if limit is not None and kind.is_silence and not 1 <= limit <= SILENCE_MAX:
            span = f"1 to {SILENCE_MAX} {kind.unit}"
            said.append(f"settings/{number}: the limit of {kind.name} is {span}")
    return said
