"""Export credits and net metering, read naively from the document: hour by hour, in fractions.

Shares no code with the engine. Every line of a version is in a list, in which a credit, a
percentage, a minimum or a tax looks up what it is of.
"""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from gridtally.kernel.money import EXACT
from naive.bank import expiry, merged, take
from naive.clock import naive_band, naive_clock, naive_peak

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

    def energies(self, charge, of):
        """(cut, band, kWh): the sum of what `of` makes of each interval's import and export.

        Intervals are added up in whole numbers of the energy's last decimal.
        """
        usage, sums = self.usage, {}
        clock = naive_clock(usage.zone, self.document["zone"], usage.period, usage.minutes)
        both = zip(usage.series["import"].tolist(), usage.series["export"].tolist(), strict=True)
        for (day, local), (imported, exported) in zip(clock, both, strict=True):
            for cut in self.cuts:
                if cut[0] <= day < cut[1]:
                    key = (cut, naive_band(charge, local))
                    sums[key] = sums.get(key, 0) + of(imported, exported)
        return [
            (cut, band, Fraction(total, 10**usage.kwh_decimals))
            for (cut, band), total in sums.items()
        ]

    def fixed(self, charge):
        for cut in self.cuts:
            amount, day = Fraction(0), cut[0]
            while day < cut[1]:
                following = (day.replace(day=28) + 4 * DAY).replace(day=1)
                amount += Fraction(charge["rate"]) / (following - DAY).day
                day += DAY
            self.add(cut, charge, "fixed", None, amount)

    def energy(self, charge):
        for cut, _, kwh in self.energies(charge, lambda imported, _: imported):
            self.add(cut, charge, "energy", None, kwh * Fraction(charge["rate"]))

    def net_billing(self, charge):
        prices = self.prices(charge, "import_rate")
        for cut, band, kwh in self.energies(
            charge, lambda imported, exported: max(imported - exported, 0)
        ):
            self.add(cut, charge, "energy", band, kwh * prices[band])

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
        """Nets, then draws on the lots; leaves in `left` the kWh of each band."""
        prices = self.prices(charge, "rate")
        balance = dict.fromkeys(prices, Fraction(0))
        for _, band, kwh in self.energies(charge, lambda imported, exported: imported - exported):
            balance[band] += kwh
        before = {band: max(kwh, 0) for band, kwh in balance.items()}
        for label, amount in self.in_tiers(charge, before).items():
            self.share(charge, "energy", label, amount)
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
        self.share_taken(charge, before, {band: max(kwh, 0) for band, kwh in balance.items()})
        lots = [lot for lot in lots if lot[1]]
        self.left[charge["id"]] = {band: sum(x[1] for x in lots if x[0] == band) for band in names}
        if banks:
            self.bank(charge, rule, lots)

    def share_taken(self, charge, before, after):
        """What is less in each tier, since units were taken."""
        full, left = self.in_tiers(charge, before), self.in_tiers(charge, after)
        for label, amount in full.items():
            self.share(charge, "energy", (label, "taken"), left[label] - amount)

    def in_tiers(self, charge, kwh_by_band):
        """Amounts by label: of each band at its rate, or of its tiers, which its own energy or that
        of all bands fills."""
        total, amounts = sum(kwh_by_band.values()), {}
        for band, tiers in self.tiers_of(charge).items():
            kwh = kwh_by_band.get(band, Fraction(0))
            filling = total if charge.get("split") == "pro_rata" else kwh
            floor = Fraction(0)
            for number, tier in enumerate(tiers):
                top = filling if tier.get("limit") is None else self.limit(charge, tier)
                part = max(min(filling, top) - floor, Fraction(0))
                floor = top
                if charge.get("split") == "pro_rata":
                    part = part * kwh / total if total else Fraction(0)
                amounts[tier_label(band, number, tiers)] = part * Fraction(tier["rate"])
        return amounts

    def tiers_of(self, charge):
        rated = {band["name"]: band for band in charge.get("bands", [])} or {None: charge}
        return {
            band: fields.get("tiers") or [{"rate": fields["rate"]}]
            for band, fields in rated.items()
        }

    def limit(self, charge, tier):
        days = Fraction((self.part.end_on - self.part.start_on).days)
        of_period = days / (self.usage.period.end_on - self.usage.period.start_on).days
        times = {"day": days, "month": self.months(), "period": of_period}
        return Fraction(tier["limit"]) * times[charge["limits"]["per"]] * self.limit_kw(charge)

    def limit_kw(self, charge):
        """The kW that a limit is times: those connected, or of the highest hour of the part."""
        limits, flow = charge["limits"], "export" if charge["kind"] == "export_credit" else "import"
        if limits.get("kw") == "peak":
            return naive_peak(limits["peak_minutes"], self.part, self.usage, flow, self.document)
        return Fraction(self.usage.connected_kw if limits.get("kw") else 1)

    def chronological(self, charge):
        """Amounts by label, of each interval in the tier that the energy before it has reached."""
        usage, amounts, reached = self.usage, {}, Fraction(0)
        clock = naive_clock(usage.zone, self.document["zone"], usage.period, usage.minutes)
        for (day, local), wh in zip(clock, usage.series["export"].tolist(), strict=True):
            if not self.part.start_on <= day < self.part.end_on:
                continue
            band, kwh = naive_band(charge, local), Fraction(wh, 10**usage.kwh_decimals)
            tiers, floor = self.tiers_of(charge)[band], Fraction(0)
            for number, tier in enumerate(tiers):
                top = reached + kwh if tier.get("limit") is None else self.limit(charge, tier)
                part = max(min(reached + kwh, top) - max(reached, floor), Fraction(0))
                floor = top
                label = tier_label(band, number, tiers)
                amounts[label] = amounts.get(label, 0) + part * Fraction(tier["rate"])
            reached += kwh
        return amounts

    def bank(self, charge, rule, lots):
        """Leaves in `left` the worth of what is paid out by label, and the lots that stay."""
        before = sum(lot[1] for lot in lots)
        ends = first_of(self.part, rule["true_up_month"])
        if rule["max_kwh_per_month"]:
            room = Fraction(rule["max_kwh_per_month"]) * self.months() * 1000 // 1 / Fraction(1000)
            take([lot for lot in lots if lot[2] == self.part.end_on], room)
        if rule["max_kwh"] and not ends and self.part.end_on == self.usage.period.end_on:
            take(lots, Fraction(rule["max_kwh"]))
        lots = [lot for lot in lots if lot[1]]
        excess = before - sum(lot[1] for lot in lots)
        worth = {"excess": excess * Fraction(rule["excess_rate"] or 0)}
        if ends:
            rate_of = {x["band"]: Fraction(x["rate"]) for x in rule["true_up_rates"]}
            for band, kwh, _, _ in lots:
                label = band if rate_of else None
                rate = rate_of[band] if rate_of else Fraction(rule["true_up_rate"] or 0)
                worth[label] = worth.get(label, 0) + kwh * rate
        elif lots:
            self.state[charge["id"]] = merged(lots)
        self.left[charge["id"]] = worth

    def months(self):
        """Of this part, each day as one of its month's."""
        months, day = Fraction(0), self.part.start_on
        while day < self.part.end_on:
            following = (day.replace(day=28) + 4 * DAY).replace(day=1)
            months += Fraction(1, (following - DAY).day)
            day += DAY
        return months

    def lasts(self, lot):
        return lot[3] is None or lot[3] > self.part.start_on

    def credit(self, charge, surplus):
        earned = -sum(amount for _, amount in self.earned(charge, surplus))
        before = list(self.lines)
        for cut, (label, amount) in self.placed(charge, surplus):
            if cut is None:
                self.share(charge, "credit", label, amount)
            else:
                self.add(cut, charge, "credit", label, amount)
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
        if surplus["from_bill"] == "this":
            paid, added = min(balance + earned, payable), None
        else:
            paid, added = min(balance + min(earned, 0), payable), earned
        rest, excess = balance + earned - paid, Fraction(0)
        if surplus["max_amount_per_month"]:
            added = min(earned - paid if added is None else added, rest)
            most = Fraction(surplus["max_amount_per_month"]) * self.months()
            excess += max(added - most, Fraction(0))
        if surplus["max_amount"] and not ends and self.part.end_on == self.usage.period.end_on:
            excess += max(rest - excess - Fraction(surplus["max_amount"]), Fraction(0))
        rest -= excess
        if surplus["excess"] == "payout":
            paid += excess
        if ends and surplus["true_up"] == "payout":
            paid += rest
        self.share(charge, "credit", "settled", min(earned - paid, Fraction(0)))
        left = max(earned - paid, Fraction(0))
        for cut in reversed(self.cuts):
            own = [x for x in self.lines if x[:3] == (cut, charge["id"], "credit")]
            credited = -sum(x[4] for x in own if x[3] != "settled")
            unused = min(left, max(credited, Fraction(0)))
            self.add(cut, charge, "credit", "settled", unused)
            left -= unused
        rest = shown(rest)
        if rest and surplus["unused"] == "carry_forward" and not ends:
            self.state[charge["id"]] = Fraction(rest)

    def earned(self, charge, surplus):
        return [line for _, line in self.placed(charge, surplus)]

    def placed(self, charge, surplus):
        """(cut or None for all days, (label, amount)) of what is credited."""
        if surplus["kind"] == "none":
            return []
        if charge["kind"] == "net_metering":
            prices, own = self.prices(charge, "rate"), charge["surplus_rate"]
            if surplus["kind"] == "carry_forward":
                return [(None, (label, -x)) for label, x in self.left[charge["id"]].items()]
            return [
                (None, (band, -kwh * (prices[band] if own is None else Fraction(own))))
                for band, kwh in self.left[charge["id"]].items()
            ]
        if charge["kind"] == "export_credit" and "limits" in charge:
            if charge.get("split") == "chronological":
                amounts = self.chronological(charge)
            else:
                exported = {}
                for _, band, kwh in self.energies(charge, lambda _, exported: exported):
                    exported[band] = exported.get(band, 0) + kwh
                amounts = self.in_tiers(charge, exported)
            return [(None, (label, -amount)) for label, amount in amounts.items()]
        net = charge["kind"] == "net_billing"
        prices = self.prices(charge, "export_rate" if net else "rate")
        return [
            (cut, (band, -kwh * prices[band]))
            for cut, band, kwh in self.energies(
                charge, lambda imported, exported: max(exported - imported, 0) if net else exported
            )
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
            if x["surplus"]["excess"] == "lost"
            if x["surplus"]["true_up"] == "lost"
            or not first_of(self.part, x["surplus"]["true_up_month"])
        }
        for tax in self.document["components"]:
            bases = {}
            for cut in self.cuts if tax["kind"] == "tax" else ():
                if tax["from_on"] and cut[0].isoformat() < tax["from_on"]:
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
                if base < 0 and paid < 0:  # one above zero is a cost, and taxed like any other
                    base = min(charged, Fraction(0))
                bases[cut] = base
            nothing = tax.get("never_negative") and sum(bases.values()) < 0
            for cut, base in bases.items():
                self.add(cut, tax, "tax", None, 0 if nothing else base * Fraction(tax["rate"]))


def tier_label(band, number, tiers):
    name = f"tier-{number + 1}" if len(tiers) > 1 else None
    return ":".join(part for part in (band, name) if part) or None


def first_of(part, month):
    days = (part.start_on + (n + 1) * DAY for n in range((part.end_on - part.start_on).days))
    return any(day.day == 1 and day.month == month for day in days)


def shown(amount):
    """A fraction as the decimal that a line shows: to 20 places where it is not finite."""
    return Decimal(round(amount * 10**20)).scaleb(-20, context=EXACT)
