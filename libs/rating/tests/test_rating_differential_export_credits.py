"""Giving and taking against a naive reading of the same document, bill after bill."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import read_state, state_document
from gridtally.rating.tariff import Part
from gridtally.rating.usage import Usage, slots_in
from naive.export_credits import Naive, shown

ZONE = "Europe/Berlin"
DAY = timedelta(days=1)
BANDS = ("peak", "mid", "low")

# --- random tariffs and usage ---------------------------------------------------------------------

rates = st.decimals("-0.2", "2", places=3).map(str)
WINDOWS = [
    {"band": "peak", "from_time": "17:00", "to_time": "21:00"},
    {"band": "mid", "from_time": "06:00", "to_time": "17:00"},
]
maybe_month = st.sampled_from([None, 4, 5, 6, 11, 12, 1])
"""Months whose first days the bills below come near."""


PAID_OUT = ('"payout"', '"true_up_rate": "', '"true_up_rates": [{', '"excess_rate": "')


def caps(*names):
    """A limit by each of the names, or none: few kWh or little money, since bills are of days."""
    cap = st.one_of(st.none(), st.decimals("0.01", "40", places=2).map(str))
    return st.fixed_dictionaries(dict.fromkeys(names, cap))


@st.composite
def priced(draw, *fields):
    """Prices for all of the energy, or for three bands."""
    if draw(st.booleans()):
        return {field: draw(rates) for field in fields}
    bands = [{"name": name, **{field: draw(rates) for field in fields}} for name in BANDS]
    return {"bands": bands, "windows": WINDOWS, "default_band": "low"}


@st.composite
def tiers(draw):
    """Limits in tenths of kWh a day; few, since bills are of days."""
    limits = draw(st.lists(st.integers(1, 300), min_size=1, max_size=2, unique=True))
    lower = [{"limit": str(Decimal(x).scaleb(-1)), "rate": draw(rates)} for x in sorted(limits)]
    return [*lower, {"rate": draw(rates)}]


@st.composite
def tiered(draw, splits):
    """Tiers for all of the energy, or for some of three bands, which a rule fills."""
    kw = draw(st.sampled_from([None, None, "connected", "peak"]))
    per = draw(st.sampled_from(["day", "month", "period"]))
    peak_minutes = 60 if kw == "peak" else None
    limits = {"limits": {"per": per, "kw": kw, "peak_minutes": peak_minutes}}
    if draw(st.booleans()):
        return limits | {"tiers": draw(tiers())}
    bands = [{"name": name, "tiers": draw(tiers())} for name in BANDS[:2]]
    last = draw(st.sampled_from(["rate", "tiers"]))
    bands.append({"name": BANDS[2], last: draw(rates if last == "rate" else tiers())})
    split = draw(st.sampled_from(splits))
    return limits | {"bands": bands, "windows": WINDOWS, "default_band": "low", "split": split}


@st.composite
def offsets(draw, payable):
    after_tax, unused = draw(st.booleans()), draw(st.sampled_from(["lost", "carry_forward"]))
    carried = unused == "carry_forward"
    month = draw(maybe_month) if carried else None
    names = ("max_amount", "max_amount_per_month")
    capped = draw(caps(*names)) if carried else dict.fromkeys(names)
    kinds = ["fixed", "energy", "adjustment", "minimum_top_up", *(["tax"] if after_tax else [])]
    return {
        "kind": "offset",
        "unused": unused,
        "component_ids": draw(st.lists(st.sampled_from(payable), max_size=2)) if payable else [],
        "kinds": draw(st.lists(st.sampled_from(kinds), max_size=2)),
        "from_bill": draw(st.sampled_from(["this", "next"])) if carried else "this",
        "true_up_month": month,
        "true_up": draw(st.sampled_from(["lost", "payout"])) if month else "lost",
        **capped,
        "excess": draw(st.sampled_from(["lost", "payout"])) if any(capped.values()) else "lost",
        "after_tax": after_tax,
        "taxed": not after_tax and draw(st.booleans()),
    }


@st.composite
def payouts(draw):
    after_tax = draw(st.booleans())
    taxed = not after_tax and draw(st.booleans())
    return {"kind": "payout", "after_tax": after_tax, "taxed": taxed}


@st.composite
def banks(draw):
    month, capped = draw(maybe_month), draw(caps("max_kwh", "max_kwh_per_month"))
    return {
        "kind": "carry_forward",
        "expires_after_months": draw(st.one_of(st.none(), st.integers(1, 3))),
        "true_up_month": month,
        "true_up_rate": draw(st.one_of(st.none(), rates)) if month else None,
        "true_up_rates": [],
        **capped,
        "excess_rate": draw(st.one_of(st.none(), rates)) if any(capped.values()) else None,
    }


@st.composite
def net_meterings(draw, payable):
    surplus = draw(
        st.sampled_from(
            [
                st.just({"kind": "none"}),
                payouts(),
                *[offsets([*payable, "own"])] * 2,
                *[banks()] * 4,
            ]
        ).flatmap(lambda surplus: surplus)
    )
    in_tiers = draw(st.integers(0, 2)) == 0
    prices = draw(tiered(["per_band", "pro_rata", "pro_rata"]) if in_tiers else priced("rate"))
    if surplus.get("true_up_rate") and "bands" in prices and draw(st.booleans()):
        worth = [{"band": band, "rate": draw(rates)} for band in BANDS]
        surplus = surplus | {"true_up_rate": None, "true_up_rates": worth}
    worth = surplus["kind"] in ("offset", "payout")
    return prices | {
        "kind": "net_metering",
        "surplus": surplus,
        "surplus_rate": draw(rates if in_tiers else st.one_of(st.none(), rates)) if worth else None,
        "cross_band": draw(st.sampled_from(["none", "later", "any"]))
        if "bands" in prices
        else "none",
    }


@st.composite
def net_billings(draw, payable):
    surplus = draw(st.one_of(st.just({"kind": "none"}), offsets([*payable, "own"]), payouts()))
    prices = draw(priced("import_rate", "export_rate"))
    if surplus["kind"] == "none":
        for fields in [prices, *prices.get("bands", [])]:
            fields.pop("export_rate", None)
    return prices | {"kind": "net_billing", "surplus": surplus}


@st.composite
def percents(draw, before):
    limits = sorted(draw(st.decimals(0, 3, places=2)) for _ in range(2))
    at_least, at_most = (str(limit) if draw(st.booleans()) else None for limit in limits)
    return {
        "kind": "percent",
        "rate": draw(st.sampled_from(["0.05", "-0.1"])),
        "component_ids": draw(st.lists(st.sampled_from(before), max_size=2)) if before else [],
        "at_least": at_least,
        "at_most": at_most,
        "per": "day",
    }


@st.composite
def charges_of(draw, before):
    """One component; `before` are the ids of those that are charged before the taxes."""
    export_credits = st.builds(
        lambda prices, surplus: prices | {"kind": "export_credit", "surplus": surplus},
        st.one_of(priced("rate"), tiered(["per_band", "pro_rata", "chronological"])),
        st.one_of(offsets(before), payouts()),
    )
    often = st.fixed_dictionaries(
        {"per": st.just("day"), "amount": st.decimals(0, 20, places=2).map(str)}
    )
    yearly = st.fixed_dictionaries(
        {
            "per": st.just("year"),
            "amount": st.decimals(0, 9000, places=2).map(str),
            "true_up_month": maybe_month.filter(bool),
        }
    )
    minimums = st.fixed_dictionaries(
        {
            "kind": st.just("minimum_bill"),
            "kinds": st.lists(st.sampled_from(["fixed", "energy", "credit", "tax"]), max_size=2),
            "after_tax": st.booleans(),
        }
    ).flatmap(lambda minimum: st.one_of(often, yearly).map(lambda amount: minimum | amount))
    fixed = st.fixed_dictionaries(
        {"kind": st.just("fixed"), "rate": rates, "per": st.just("month")}
    )
    energy = st.fixed_dictionaries({"kind": st.just("energy"), "rate": rates})
    crediting = [*[net_meterings(before)] * 5, *[net_billings(before), export_credits] * 2]
    others = [fixed, fixed, energy, percents(before), minimums]
    return draw(draw(st.sampled_from(crediting + others)))


@st.composite
def documents(draw, days):
    components, before, taxable = [], [], []
    for n in range(draw(st.integers(1, 5))):
        charge = draw(charges_of(list(before)))
        surplus = charge.get("surplus", {})
        by_band = "-by-band" if surplus.get("true_up_rates") else ""
        charge["id"] = f"{charge['kind']}-{surplus.get('kind')}-{n}{by_band}"
        if surplus.get("component_ids"):
            own = [charge["id"] if x == "own" else x for x in surplus["component_ids"]]
            charge["surplus"] = surplus | {"component_ids": own}
        components.append(charge)
        all_after = charge["kind"] in ("export_credit", "minimum_bill")
        if not (all_after and (charge.get("after_tax") or surplus.get("after_tax"))):
            before.append(charge["id"])
            if charge["kind"] != "export_credit" or surplus["taxed"]:
                taxable.append(charge["id"])
    for n in range(draw(st.integers(0, 2)) if taxable else 0):
        edges = sorted(draw(st.lists(st.sampled_from(days), max_size=2, unique=True)))
        components.append(
            {
                "kind": "tax",
                "id": f"tax-{n}",
                "rate": draw(st.sampled_from(["0.05", "0.19", "1"])),
                "component_ids": draw(st.lists(st.sampled_from(taxable), min_size=1, max_size=3)),
                "from_on": edges[0].isoformat() if edges else None,
                "to_on": edges[1].isoformat() if len(edges) == 2 else None,
                "never_negative": draw(st.booleans()),
            }
        )
        taxable.append(f"tax-{n}")
    return {"currency": "EUR", "zone": ZONE, "components": components}


@st.composite
def cases(draw):
    """Three periods about a month apart: parts of (Period, document) and a usage each."""
    start_on = date(2025, draw(st.sampled_from([3, 10])), 25) + draw(st.integers(0, 6)) * DAY
    period = Period(start_on, start_on + draw(st.integers(2, 8)) * DAY)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    first, second = (draw(documents(period.dates())) for _ in range(2))
    cut = draw(st.sampled_from([period.end_on, *period.dates()[1:]]))
    bills, gap = [], draw(st.integers(30, 40))
    for number in range(3):
        later = number * gap * DAY
        days = Period(period.start_on + later, period.end_on + later)
        parts = [(days, first)]
        if number == 1 and cut < period.end_on:
            parts = [
                (Period(days.start_on, cut + later), first),
                (Period(cut + later, days.end_on), second),
            ]
        slots = slots_in(ZONE, days, 60)
        series = {}
        for flow in ("import", "export"):
            scale = draw(st.sampled_from([0, 500, 2000, 2000]))
            series[flow] = random.integers(0, scale, slots, endpoint=True)
        connected_kw = Decimal(draw(st.integers(0, 30))).scaleb(-1)
        bills.append((parts, Usage(ZONE, days, 60, series, connected_kw)))
    return bills


def label_of(item):
    if item.band in ("unused", "brought-forward"):
        return "settled"
    return (item.band, "taken") if (item.kind, item.flow) == ("energy", "export") else item.band


def engine_lines(bill):
    amounts = {}
    for line in bill.lines:
        item = line.item
        key = (item.part.start_on, item.component_id, item.kind, label_of(item))
        amounts[key] = amounts.get(key, 0) + line.amount_exact
    return {key: amount for key, amount in amounts.items() if amount}


def naive_lines(parts, usage, state):
    amounts = {}
    for part, document in parts:
        for cut, id_, kind, label, amount in Naive(part, document, usage, state).bill():
            key = (cut[0], id_, kind, label)
            amounts[key] = amounts.get(key, 0) + amount
    return {key: shown(amount) for key, amount in amounts.items() if shown(amount)}


def plain_state(state):
    return {id_: plain(component_state) for id_, component_state in state.items()}


def plain(component_state):
    match component_state.kind:
        case "credit":
            return Fraction(component_state.amount)
        case "tally":
            return component_state.since_on, Fraction(component_state.amount)
        case _:
            return [
                [lot.band, Fraction(lot.kwh), lot.earned_on, lot.expires_on]
                for lot in component_state.lots
            ]


def parts_of(parts):
    return [
        Part(part, tariff_version(UUID(int=n), document))
        for n, (part, document) in enumerate(parts)
    ]


@examples(120)
@given(cases())
def test_the_engine_agrees_with_the_naive_one_bill_after_bill(case):
    state, naive_state = {}, {}
    for parts, usage in case:
        (bill,) = rate(parts_of(parts), [usage], states=[state])
        assert engine_lines(bill) == naive_lines(parts, usage, naive_state)
        state = read_state(state_document(bill.state))
        assert plain_state(state) == naive_state


@examples(40)
@given(cases(), st.permutations(range(3)))
def test_meters_of_a_batch_do_not_touch_one_another(case, order):
    parts, usage = case[0]
    usages = [
        replace(usage, series={flow: row * n for flow, row in usage.series.items()})
        for n in (1, 2, 5)
    ]
    bills = rate(parts_of(parts), usages)
    assert rate(parts_of(parts), [usages[n] for n in order]) == [bills[n] for n in order]


def takes_share_of_credit(document):
    """Whether a percentage is of what credits, which makes it a credit itself."""
    crediting = {charge["id"] for charge in document["components"] if "surplus" in charge}
    percents_of = [
        charge["component_ids"] for charge in document["components"] if charge["kind"] == "percent"
    ]
    return any(crediting & set(ids) for ids in percents_of)


@examples(40)
@given(cases())
def test_a_credit_that_offsets_never_brings_a_bill_below_zero(case):
    """Where no charge, price or share is negative or of a credit, and nothing is paid out."""
    for parts, usage in case:
        text = json.dumps([document for _, document in parts]).replace('"-', '"')
        if any(paid in text for paid in PAID_OUT):
            continue
        if any(takes_share_of_credit(document) for _, document in parts):
            continue
        positive = [
            (part, document) for (part, _), document in zip(parts, json.loads(text), strict=True)
        ]
        (bill,) = rate(parts_of(positive), [usage])
        assert sum(map(Fraction, bill.totals_exact().values())) >= -Fraction(1, 10**18)
