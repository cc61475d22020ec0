"""Quotes: what a tariff would charge one meter, period after period, as a JSON document.

The bills are those of `engine.bill.rate`, each with the state that the one before it left. Owns the
document that `gridtally rate --json` prints and the tariff service answers: decimals as strings.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import plain
from gridtally.rating.engine.batch import MissingRule
from gridtally.rating.engine.bill import NO_PRICES, NO_STATE, Bill, rate
from gridtally.rating.engine.exact import LOSSLESS, add_up
from gridtally.rating.engine.lines import Item, Kind, Line
from gridtally.rating.json_form import as_json
from gridtally.rating.prices import Prices
from gridtally.rating.state import State, state_document
from gridtally.rating.tariff import TariffVersion
from gridtally.rating.usage import Usage

MINUTES_PER_HOUR = 60


def quote(
    tariff: TariffVersion,
    usages: Sequence[Usage],
    *,
    state: State = NO_STATE,
    prices: Prices = NO_PRICES,
    missing: MissingRule = "refused",
) -> dict[str, object]:
    """The document of one meter's `usages`, which must follow one another in time.

    `state` is what a bill before the first period left. Rejected as `rating.engine.bill.rate` is.
    """
    bills = rate_in_sequence(tariff, usages, state=state, prices=prices, missing=missing)
    return quote_document(usages, bills)


def rate_in_sequence(
    tariff: TariffVersion,
    usages: Sequence[Usage],
    *,
    state: State = NO_STATE,
    prices: Prices = NO_PRICES,
    missing: MissingRule = "refused",
) -> list[Bill]:
    """One meter's bill for each of its usages in turn, each from the state that the last left.

    Rejected as `rating.engine.bill.rate` is, and where usages overlap or there is none.
    """
    if not usages:
        raise Rejected("quote_empty", "there is no usage to rate")
    for earlier, following in pairwise(usages):
        if following.period.start_on < earlier.period.end_on:
            raise Rejected(
                "quote_order",
                f"the period from {following.period.start_on} must not begin before the one "
                f"to {earlier.period.end_on} ends",
            )
    bills: list[Bill] = []
    for usage in usages:
        (bill,) = rate(tariff, [usage], states=[state], prices=prices, missing=missing)
        state = bill.state
        bills.append(bill)
    return bills


def quote_document(usages: Sequence[Usage], bills: Sequence[Bill]) -> dict[str, object]:
    """The JSON form of bills, at least one, with the usage of each.

    What a line is for is written once for all bills that share it, as those of a batch do.
    """
    items: dict[int, dict[str, object]] = {}
    return {
        "currency": bills[0].currency,
        "periods": [
            {
                "start": bill.period.start_on.isoformat(),
                "end": bill.period.end_on.isoformat(),
                "lines": [_line(line, items) for line in bill.lines],
                "totals_exact": _totals(bill.totals_exact()),
                "totals": _totals(bill.totals()),
                "payees": {name: plain(total) for name, total in bill.payees().items()},
                "peak_kw": None if (kw := peak_kw(usage)) is None else plain(kw),
                "state": state_document(bill.state),
            }
            for usage, bill in zip(usages, bills, strict=True)
        ],
    }


def compare(
    tariffs: Mapping[str, TariffVersion],
    usages: Sequence[Usage],
    *,
    prices: Prices = NO_PRICES,
    missing: MissingRule = "refused",
) -> dict[str, object]:
    """What each tariff, by a name that the caller gives it, would charge one meter: cheapest first.

    `difference` is to the cheapest, of rounded totals. Rejected where a tariff does not fit the
    usage, with its name, and where they are not all in one currency.
    """
    if not tariffs:
        raise Rejected("compare_empty", "there is no tariff to compare")
    if len(currencies := {tariff.currency for tariff in tariffs.values()}) > 1:
        raise Rejected(
            "compare_currencies", f"tariffs in several currencies: {', '.join(sorted(currencies))}"
        )
    bills_of: dict[str, list[Bill]] = {}
    for name, tariff in tariffs.items():
        try:
            bills_of[name] = rate_in_sequence(tariff, usages, prices=prices, missing=missing)
        except Rejected as error:
            raise Rejected(error.code, f"{name}: {error.detail}", error.faults) from None
    totals = {name: add_up(bill.total for bill in bills) for name, bills in bills_of.items()}
    ranked = sorted(totals, key=lambda name: (totals[name], name))
    return {
        "currency": currencies.pop(),
        "start": usages[0].period.start_on.isoformat(),
        "end": usages[-1].period.end_on.isoformat(),
        "tariffs": [
            {
                "name": name,
                "totals_exact": _totals(_summed([bill.totals_exact() for bill in bills_of[name]])),
                "totals": _totals(_summed([bill.totals() for bill in bills_of[name]])),
                "difference": plain(LOSSLESS.subtract(totals[name], totals[ranked[0]])),
            }
            for name in ranked
        ],
    }


def peak_kw(usage: Usage) -> Decimal | None:
    """The highest mean import over one interval in kW; None where import is not known."""
    if (imported := usage.series.get("import")) is None:
        return None
    per_hour = max(int(imported.max()), 0) * (MINUTES_PER_HOUR // usage.minutes)
    return Decimal(per_hour).scaleb(-usage.kwh_decimals)


def _line(line: Line, items: dict[int, dict[str, object]]) -> dict[str, object]:
    """A line; `items` are those that are written already, by identity: their bills keep them."""
    if (item := items.get(id(line.item))) is None:
        item = items[id(line.item)] = _item(line.item)
    return {
        **item,
        "quantity": plain(line.quantity),
        "amount_exact": plain(line.amount_exact),
        "amount": plain(line.amount),
    }


def _item(item: Item) -> dict[str, object]:
    return {
        "component_id": item.component_id,
        "kind": item.kind,
        "band": item.band,
        "start": item.part.start_on.isoformat(),
        "end": item.part.end_on.isoformat(),
        "quantity": "",  # a line's own, which keeps its place here
        "unit": item.unit,
        "quantity_rounding": as_json(item.quantity_rounding),
        "rate": plain(item.rate),
        "payee": item.payee,
    }


def _totals(totals: Mapping[Kind, Decimal]) -> dict[str, str]:
    amounts = {kind: plain(amount) for kind, amount in totals.items()}
    return amounts | {"total": plain(add_up(totals.values()))}


def _summed(totals_of_bills: Sequence[Mapping[Kind, Decimal]]) -> dict[Kind, Decimal]:
    return {kind: add_up(totals[kind] for totals in totals_of_bills) for kind in totals_of_bills[0]}
