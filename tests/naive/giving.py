"""Giving and taking, read naively from the document: hour by hour, in fractions.

Shares no code with the engine. Every line of a version is kept in a list, and what a credit, a
share, a minimum or a tax is taken of is looked up in it.
"""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from kernel.money import EXACT
from naive.clock import naive_band, naive_clock

DAY = timedelta(days=1)


class Naive:
    """One version's part of a bill: its lines so far, as (cut, id, kind, label, amount)."""

    def __init__(self, part, document, usage, state):
        self.part, self.document, self.usage, self.state = part, document, usage, state
        self.lines, self.left = [], {}
        edges = {part.start_on, part.end_on}
        for tax in document["components"]:
            for edge in ("from_on", "to_on"):
                if tax.get(edge) and part.start_on <= date.fromisoformat(tax[edge]) < part.end_on:
                    edges.add(date.fromisoformat(tax[edge]))
        self.cuts = list(pairwise(sorted(edges)))

    def bill(self):
        """All lines; the state is changed in place."""
        for after_tax in (False, True):
            for charge in self.document["components"]:
                surplus = charge.get("surplus")
                if charge["kind"] in ("fixed", "energy", "percent") and not after_tax:
                    getattr(self, charge["kind"])(charge)
                if charge["kind"] == "minimum_bill" and charge["after_tax"] == after_tax:
                    self.minimum_bill(charge)
                if charge["kind"] in ("net_metering", "net_billing") and not after_tax:
                    getattr(self, charge["kind"])(charge)
                if surplus and surplus.get("after_tax", False) == after_tax:
                    self.credit(charge, surplus)
            if not after_tax:
                self.taxes()
        return self.lines

    def add(self, cut, charge, kind, label, amount):
        self.lines.append((cut, charge["id"], kind, label, Fraction(amount)))

    def share(self, charge, kind, label, amount):
        """An amount of all days, cut by their number."""
        for cut in self.cuts:
            days = Fraction((cut[1] - cut[0]).days, (self.part.end_on - self.part.start_on).days)
            self.add(cut, charge, kind, label, amount * days)

    def energies(self, charge):
        """(cut, band, kWh taken, kWh given) of each interval of the part."""
        usage = self.usage
        clock = naive_clock(usage.zone, self.document["zone"], usage.period, usage.minutes)
        for slot, (day, local) in enumerate(clock):
            for cut in self.cuts:
                if cut[0] <= day < cut[1]:
                    taken, given = (
                        Fraction(int(usage.series[flow][slot]), 10**usage.kwh_decimals)
                        for flow in ("import", "export")
                    )
                    yield cut, naive_band(charge, local), taken, given

    def fixed(self, charge):
        for cut in self.cuts:
            amount, day = Fraction(0), cut[0]
            while day < cut[1]:
                following = (day.replace(day=28) + 4 * DAY).replace(day=1)
                amount += Fraction(charge["rate"]) / (following - DAY).day
                day += DAY
            self.add(cut, charge, "fixed", None, amount)

    def energy(self, charge):
        for cut, _, taken, _ in self.energies(charge):
            self.add(cut, charge, "energy", None, taken * Fraction(charge["rate"]))

    def net_billing(self, charge):
        prices = self.prices(charge, "import_rate")
        for cut, band, taken, given in self.energies(charge):
            self.add(cut, charge, "energy", band, max(taken - given, 0) * prices[band])

    def prices(self, charge, field):
        if charge.get("bands"):
            return {band["name"]: Fraction(band.get(field) or 0) for band in charge["bands"]}
        return {None: Fraction(charge.get(field) or 0)}

    def percent(self, charge):
        named = [x for x in self.lines if x[1] in charge["component_ids"]]
        if not charge["component_ids"]:
            named = list(self.lines)
        own = Fraction(0)
        for cut, _, _, _, amount in named:
            own += amount * Fraction(charge["rate"])
            self.add(cut, charge, "adjustment", None, amount * Fraction(charge["rate"]))
        sign = 1 if Fraction(charge["rate"]) > 0 else -1
        days = (self.part.end_on - self.part.start_on).days
        size = own * sign
        if charge["at_least"] is not None:
            size = max(size, Fraction(charge["at_least"]) * days)
        if charge["at_most"] is not None:
            size = min(size, Fraction(charge["at_most"]) * days)
        self.share(charge, "adjustment", "limit", size * sign - own)

    def minimum_bill(self, charge):
        days = (self.part.end_on - self.part.start_on).days
        so_far = sum(x[4] for x in self.lines if not charge["kinds"] or x[2] in charge["kinds"])
        if charge["per"] == "year":
            self.minimum_of_a_year(charge, so_far)
            return
        lacking = Fraction(charge["amount"]) * days - so_far
        self.share(charge, "minimum_top_up", None, max(lacking, Fraction(0)))

    def minimum_of_a_year(self, charge, so_far):
        since, before = self.state.pop(charge["id"], (self.part.start_on, Fraction(0)))
        if not first_of(self.part, charge["true_up_month"]):
            self.state[charge["id"]] = (since, Fraction(shown(before + so_far)))
            return
        least, day = Fraction(0), since
        while day < self.part.end_on:
            year = (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
            least += Fraction(charge["amount"]) / year
            day += DAY
        lacking = max(least - before - so_far, Fraction(0))
        self.share(charge, "minimum_top_up", None, lacking)

    def net_metering(self, charge):
        """Nets, then takes of the lots; leaves in `left` the kWh of each band."""
        prices = self.prices(charge, "rate")
        balance = dict.fromkeys(prices, Fraction(0))
        for _, band, taken, given in self.energies(charge):
            balance[band] += taken - given
        for band, kwh in balance.items():
            self.share(charge, "energy", band, max(kwh, 0) * prices[band])
        rule = charge["surplus"]
        banks = rule["kind"] == "carry_forward"
        lots = [lot for lot in self.state.pop(charge["id"], []) if self.lasts(lot)] if banks else []
        gone = expiry(self.part.end_on, rule.get("expires_after_months"))
        lots += [[band, -kwh, self.part.end_on, gone] for band, kwh in balance.items() if kwh < 0]
        names = list(prices)
        takers = [(band, [band]) for band in names]
        if charge["cross_band"] == "later":
            takers += [(band, names[:n]) for n, band in enumerate(names)]
        if charge["cross_band"] == "any":
            takers += [(band, None) for band in names]
        for band, givers in takers:
            for lot in lots:
                if givers is None or lot[0] in givers:
                    units = min(lot[1], max(balance[band], 0))
                    lot[1] -= units
                    balance[band] -= units
                    self.share(charge, "energy", (band, "taken"), -units * prices[band])
        lots = [lot for lot in lots if lot[1]]
        self.left[charge["id"]] = {band: sum(x[1] for x in lots if x[0] == band) for band in names}
        if banks and first_of(self.part, rule.get("true_up_month")):
            self.left[charge["id"]] = {None: sum(lot[1] for lot in lots)}
        elif banks and lots:
            self.left[charge["id"]], self.state[charge["id"]] = {}, merged(lots)
        elif banks:
            self.left[charge["id"]] = {}

    def lasts(self, lot):
        return lot[3] is None or lot[3] > self.part.start_on

    def credit(self, charge, surplus):
        earned = -sum(amount for _, amount in self.earned(charge, surplus))
        before = list(self.lines)
        for place, (label, amount) in self.placed(charge, surplus):
            if place is None:
                self.share(charge, "credit", label, amount)
            else:
                self.add(place, charge, "credit", label, amount)
        if surplus["kind"] != "offset":
            return
        named = [
            x
            for x in before
            if not (surplus["component_ids"] or surplus["kinds"])
            or x[1] in surplus["component_ids"]
            or x[2] in surplus["kinds"]
        ]
        payable = max(min(sum(x[4] for x in named), sum(x[4] for x in before)), Fraction(0))
        balance = self.state.pop(charge["id"], Fraction(0))
        ends = first_of(self.part, surplus["true_up_month"])
        if ends and surplus["true_up"] == "payout":
            paid = balance + earned
        elif surplus["from_bill"] == "this":
            paid = min(balance + earned, payable)
        else:
            paid = min(balance + min(earned, 0), payable)
        self.share(charge, "credit", "settled", min(earned - paid, Fraction(0)))
        left = max(earned - paid, Fraction(0))
        for cut in reversed(self.cuts):
            own = [x for x in self.lines if x[:3] == (cut, charge["id"], "credit")]
            given = -sum(x[4] for x in own if x[3] != "settled")
            unused = min(left, max(given, Fraction(0)))
            self.add(cut, charge, "credit", "settled", unused)
            left -= unused
        rest = shown(balance + earned - paid)
        if rest and surplus["unused"] == "carry_forward" and not ends:
            self.state[charge["id"]] = Fraction(rest)

    def earned(self, charge, surplus):
        return [line for _, line in self.placed(charge, surplus)]

    def placed(self, charge, surplus):
        """(cut or None for all days, (label, amount)) of what is given."""
        if surplus["kind"] == "none":
            return []
        if charge["kind"] == "net_metering":
            prices, own = self.prices(charge, "rate"), charge["surplus_rate"]
            if surplus["kind"] == "carry_forward":
                worth = Fraction(surplus["true_up_rate"] or 0)
                return [(None, (None, -kwh * worth)) for kwh in self.left[charge["id"]].values()]
            return [
                (None, (band, -kwh * (prices[band] if own is None else Fraction(own))))
                for band, kwh in self.left[charge["id"]].items()
            ]
        net = charge["kind"] == "net_billing"
        prices = self.prices(charge, "export_rate" if net else "rate")
        return [
            (cut, (band, -(max(given - taken, 0) if net else given) * prices[band]))
            for cut, band, taken, given in self.energies(charge)
        ]

    def taxes(self):
        untaxed = {
            x["id"]
            for x in self.document["components"]
            if "surplus" in x and not x["surplus"].get("taxed", False)
        }
        paying = {
            x["id"]
            for x in self.document["components"]
            if "surplus" in x and x["surplus"]["kind"] == "offset"
            if x["surplus"]["true_up"] == "lost"
            or not first_of(self.part, x["surplus"]["true_up_month"])
        }
        for cut in self.cuts:
            for tax in self.document["components"]:
                if tax["kind"] != "tax" or (tax["from_on"] and cut[0].isoformat() < tax["from_on"]):
                    continue
                if tax["to_on"] and cut[0].isoformat() >= tax["to_on"]:
                    continue
                charged = paid = Fraction(0)
                for days, id_, kind, _, amount in self.lines:
                    if days != cut or id_ not in tax["component_ids"]:
                        continue
                    if kind == "credit" and id_ in paying - untaxed:
                        paid += amount
                    elif kind != "credit" or id_ not in untaxed:
                        charged += amount
                base = charged + paid
                if base < 0 and paid < 0:  # one above nothing is a cost, and taxed like any other
                    base = min(charged, Fraction(0))
                self.add(cut, tax, "tax", None, base * Fraction(tax["rate"]))


def expiry(day, months):
    if months is None:
        return None
    first = day.replace(day=1)
    for _ in range(months):
        first = (first + 31 * DAY).replace(day=1)
    last = (first + 31 * DAY).replace(day=1) - DAY
    return min(first.replace(day=1) + (day.day - 1) * DAY, last)


def first_of(part, month):
    days = (part.start_on + (n + 1) * DAY for n in range((part.end_on - part.start_on).days))
    return any(day.day == 1 and day.month == month for day in days)


def merged(lots):
    """Those of a band that never expire as one; a list is enough here."""
    kept, lasting = [], {}
    for band, kwh, earned_on, expires_on in lots:
        if expires_on is not None:
            kept.append([band, kwh, earned_on, expires_on])
        else:
            lasting.setdefault(band, [band, Fraction(0), earned_on, None])[1] += kwh
            lasting[band][2] = earned_on
    return kept + list(lasting.values())


def shown(amount):
    """A fraction as the decimal that a line shows: to 20 places where it is not finite."""
    return Decimal(round(amount * 10**20)).scaleb(-20, context=EXACT)
