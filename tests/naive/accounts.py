"""A plain model of customers' accounts: a list of facts, summed again whenever one is asked."""

from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)


@dataclass
class Fact:
    """What a transaction did: so much for each item, so much onto the credit, so much in cash."""

    key: tuple
    kind: str
    allocated: dict
    credited: Decimal = ZERO
    cash: Decimal = ZERO
    spends_prepaid: bool = False


@dataclass
class Model:
    """What is true of the books, from the facts, by addition alone."""

    totals: dict = field(default_factory=dict)
    voided: set = field(default_factory=set)
    facts: dict = field(default_factory=dict)

    def open(self, item):
        facts = self.facts.values()
        allocated = sum((fact.allocated.get(item, ZERO) for fact in facts), ZERO)
        return ZERO if item in self.voided else self.totals[item] - allocated

    def credit(self, key, *, without=None):
        """What was credited, and what had been paid for items that were cancelled."""
        credit = ZERO
        for id_, fact in self.facts.items():
            if fact.key == key and id_ != without:
                credit += fact.credited
                if fact.kind not in ("write_off", "credit_note"):
                    credit += sum(self.deallocated(fact).values())
        return credit

    def deallocated(self, fact):
        return {i: a for i, a in fact.allocated.items() if i in self.voided and a > 0}

    def may_reverse(self, id_):
        fact = self.facts[id_]
        if any(a < 0 and i in self.voided for i, a in fact.allocated.items()):
            return False  # what was paid out became a charge
        spent = fact.kind in ("write_off", "allocation")
        # something is left of it
        return not spent or any(a and i not in self.voided for i, a in fact.allocated.items())

    def left(self, item):
        """What credit notes have left of an item."""
        notes = [fact for fact in self.facts.values() if fact.kind == "credit_note"]
        return self.totals[item] - sum((note.allocated.get(item, ZERO) for note in notes), ZERO)

    def credit_part(self, note_id, key, item, amount):
        """Credit a part of an item: what was given up of it comes back first, then what was paid,
        in the order in which it was."""
        short = amount - self.open(item)
        for kind_first in (True, False):
            for fact in self.facts.values():
                is_given_up = fact.kind == "write_off"
                if short > 0 and is_given_up is kind_first and fact.kind != "credit_note":
                    taken = min(short, fact.allocated.get(item, ZERO))
                    if taken:
                        fact.allocated[item] -= taken
                        fact.credited += ZERO if is_given_up else taken
                        short -= taken
        self.facts[note_id] = Fact(key, "credit_note", {item: amount})

    def spent_prepaid(self, key, order, due_on):
        """What credit pays now: fact, item and amount, in the order in which it is taken back."""
        spent = [
            (id_, item, amount)
            for id_, fact in self.facts.items()
            if fact.key == key and fact.spends_prepaid
            for item, amount in sorted(fact.allocated.items(), key=lambda part: due_on(part[0]))
            if amount > 0 and item not in self.voided
        ]
        return spent[::-1] if order == "newest_first" else spent

    def take_back(self, key, shortage, spent, cause):
        """Bring back credit from what it pays, and charge the rest, which was paid out."""
        for id_, item, amount in spent:
            taken = min(amount, shortage)
            self.facts[id_].allocated[item] -= taken
            self.facts[id_].credited += taken
            shortage -= taken
        if shortage:
            self.totals[cause] = shortage
            self.facts[cause] = Fact(key, "charge", {}, shortage)
