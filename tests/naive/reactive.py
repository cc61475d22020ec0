"""Reactive energy read naively from the document: every interval by itself, roots in 100 digits.

Quantities are fractions of kvarh. It shares no code with the engine.
"""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

from naive.clock import naive_band, naive_clock


def naive_reactive(charge, document, usage, part):
    """Exact kvarh by the band of the line, of the days of `part`."""
    sums = defaultdict(lambda: [Fraction(0), Fraction(0)])
    clock = naive_clock(usage.zone, document["zone"], usage.period, usage.minutes)
    flows = charge["flow"], charge["active_flow"]
    for slot, (day, local) in enumerate(clock):
        band = naive_band(charge, local) if charge["bands"] else None
        if day not in part or (charge["bands"] and band is None):
            continue
        cycle = {"day": day, "month": day.replace(day=1), "period": None}[charge["measured_over"]]
        for index, flow in enumerate(flows):
            sums[cycle, band][index] += Fraction(
                int(usage.series[flow][slot]), 10**usage.kwh_decimals
            )
    kvarh_of = defaultdict(Fraction)
    for (_, name), (kvarh, kwh) in sums.items():
        priced = next((band for band in charge["bands"] if band["name"] == name), charge)
        tiers = priced["tiers"] or [{"limit": None}]
        floor = free = Fraction(charge["free_share"]) * kwh
        tops = [
            None if tier.get("limit") is None else Fraction(tier["limit"]) * kwh for tier in tiers
        ]
        for number, top in enumerate(tops, 1):
            label = ":".join(
                text for text in (name, f"tier-{number}" if len(tiers) > 1 else None) if text
            )
            reached = kvarh if top is None else min(kvarh, top)
            if charge["mode"] == "graduated":
                kvarh_of[label or None] += max(reached - floor, Fraction(0))
            elif (number == 1 or kvarh > tops[number - 2]) and (top is None or kvarh <= top):
                kvarh_of[label or None] += max(kvarh - free, Fraction(0))
            floor = max(floor, reached)
    return {label: kvarh for label, kvarh in kvarh_of.items() if kvarh}


def naive_factor(charge, usage):
    """The row's rate for the whole period's power factor, in a hundred digits."""
    kwh, drawn, fed_in = (
        int(usage.series[flow].sum())
        for flow in (charge["flow"], "reactive_import", "reactive_export")
    )
    kvarh = {
        "import": drawn, "export": fed_in, "net": drawn - fed_in, "higher": max(drawn, fed_in)
    }[charge["reactive"]]  # fmt: skip
    with localcontext(prec=100):
        root = (Decimal(kwh) ** 2 + Decimal(kvarh) ** 2).sqrt()
        factor = Decimal(kwh) / root if root else Decimal(1)
        factor = factor.quantize(Decimal(1).scaleb(-charge["decimals"]), ROUND_HALF_UP)
    return next(row["rate"] for row in charge["table"] if factor >= Decimal(row["at_least"]))
