"""The live reconciliation: does what was received, billed and booked agree, across services?

Each service answers for its own part at `/v1/reconciliation`; here their figures are set against
one another. Owns the list of things that must be equal. A difference while events are under way
is normal; one that stays is a breach.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gridtally.cli.api import Api, Json

POLL_S = 0.5
CONSUMING = ("ingest", "billing", "ledger")
"""The services that consume topics, and so may have dead letters."""
DOCUMENTS = ("invoice.issued.v1", "credit_note.issued.v1", "invoice.voided.v1")
"""The topics of billing's documents."""


BOOKED_STEP = Decimal("0.00000001")
"""What lines with more decimals than the ledger keeps may differ by, of each document."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must hold, with the figures on both sides.

    Where a `notice` does not hold, nothing contradicts anything: somebody has something to do.
    """

    what: str
    left: str
    right: str
    holds: bool
    notice: bool = False

    @property
    def is_breach(self) -> bool:
        """Whether the services contradict one another."""
        return not (self.holds or self.notice)


async def reconcile(api: Api) -> list[Finding]:
    """Every finding for the key's tenant; CommandError when a service does not answer."""
    ingest = await api.get("ingest", "/v1/reconciliation")
    billing = await api.get("billing", "/v1/reconciliation")
    ledger = await api.get("ledger", "/v1/reconciliation")
    letters = [
        count
        for service in CONSUMING
        for count in (await api.get(service, "/v1/dead-letters/counts"))["items"]
    ]
    return [
        *_metered(ingest),
        *_billed(ingest, billing),
        *_posted(billing, ledger),
        *_given_up(letters),
    ]


async def reconcile_until_stable(api: Api, *, patience_s: float) -> list[Finding]:
    """Every finding, as soon as each has held once, else as it is after `patience_s`.

    Services are asked one after the other, so that under constant work their figures are seldom
    of the same moment; but what is only under way holds again and again.
    """
    deadline_s = time.monotonic() + patience_s
    held: dict[str, Finding] = {}
    while True:
        findings = await reconcile(api)
        held |= {finding.what: finding for finding in findings if finding.holds}
        if all(finding.what in held for finding in findings) or time.monotonic() >= deadline_s:
            return [held.get(finding.what, finding) for finding in findings]
        await asyncio.sleep(POLL_S)


def _equal(what: str, left: object, right: object) -> Finding:
    return Finding(what, str(left), str(right), left == right)


# What was given up is a matter for a person, not a contradiction: it is shown, and holds. But a
# document of billing's that the ledger could not post was not booked as it was issued: so it is
# where a restored billing has numbered its invoices anew.
def _given_up(letters: Sequence[Json]) -> Iterator[Finding]:
    documents = [count for count in letters if count["topic"] in DOCUMENTS]
    refused = [f"{count['topic']}: {count['open']}" for count in documents if count["open"]]
    yield Finding(
        "documents of billing's that nobody could post",
        str(sum(count["open"] for count in documents)),
        ", ".join(refused),
        holds=not refused,
    )
    for state, what in (
        ("open", "dead letters to be replayed or discarded"),
        ("dropped", "dead letters dropped, since the quota was full"),
        ("expired", "dead letters deleted unresolved, since they were too old"),
    ):
        topics = [f"{count['topic']}: {count[state]}" for count in letters if count[state]]
        if topics or state == "open":
            number = sum(count[state] for count in letters)
            yield Finding(what, str(number), ", ".join(topics), holds=True)


def _metered(ingest: Json) -> Iterator[Finding]:
    counted, found = ingest["counted"], ingest["found"]
    yield _equal("blocks received = found in the tables", counted["received"], found["received"])
    outcomes = "stored", "duplicates", "quarantined", "pending", "dropped"
    by_outcome = ", ".join(f"{found[name]} {name}" for name in outcomes)
    yield Finding(
        "received = stored + duplicates + quarantined + pending + dropped",
        str(counted["received"]),
        by_outcome,
        counted["received"] == sum(counted[name] for name in outcomes),
    )
    yield _equal("new values = values stored", ingest["values"]["new"], ingest["values_found"])


def _billed(ingest: Json, billing: Json) -> Iterator[Finding]:
    closed_wh = sum(flow["closed_wh"] for flow in ingest["energy"])
    yield _equal(
        "periods closed = periods billed or held", ingest["closed_periods"], billing["periods"]
    )
    yield _equal("energy closed = energy billed or held, Wh", closed_wh, billing["energy_wh"])
    yield Finding(
        "no period is held (GET /v1/held-invoices has the reasons)",
        f"{billing['held']} held",
        f"{billing['invoiced']} of {billing['periods']} have an invoice",
        holds=billing["held"] == 0,
        notice=True,
    )
    yield Finding("billing agrees with itself", "; ".join(billing["breaches"]), "", billing["ok"])


def _posted(billing: Json, ledger: Json) -> Iterator[Finding]:
    posted_by_currency = {posted["currency"]: posted for posted in ledger["currencies"]}
    for issued in billing["currencies"]:
        currency = issued["currency"]
        posted = posted_by_currency.get(currency, {})
        for name, what in (("invoices", "invoices"), ("credit_notes", "credit notes")):
            yield _equal(f"{currency}: {what} issued = posted", issued[name], posted.get(name, 0))
        live_total, receivable = issued["live_total"], posted.get("receivable", "0")
        yield Finding(
            f"{currency}: live invoices = receivable",
            live_total,
            receivable,
            Decimal(live_total) == Decimal(receivable),
        )
    for currency, posted in posted_by_currency.items():
        if Decimal(opened := posted.get("opening_balances", "0")):
            on_account = str(-Decimal(posted["opening_account"]))
            yield _equal(f"{currency}: opening balances = their account", opened, on_account)
    yield from _owed(billing, ledger)
    yield Finding("debits = credits, in every currency", "", "", ledger["ok"])


# Nobody may be owed in one service alone: whoever is missing in one is owed nothing there. A
# service from before payees had accounts says nothing about any.
def _owed(billing: Json, ledger: Json) -> Iterator[Finding]:
    if not all("payees" in service for service in (billing, ledger)):
        return
    said, booked = (
        {(owed["currency"], owed["payee"]): owed["owed"] for owed in service["payees"]}
        for service in (billing, ledger)
    )
    books = {posted["currency"]: posted for posted in ledger["currencies"]}
    for currency, payee in dict.fromkeys([*said, *booked]):
        left, right = said.get((currency, payee), "0"), booked.get((currency, payee), "0")
        own = books.get(currency, {})
        documents = own.get("invoices", 0) + own.get("credit_notes", 0)
        named = "taxes that name no payee" if payee is None else f"{payee} is owed"
        yield Finding(
            f"{currency}: {named}, by lines = in the books",
            left,
            right,
            holds=abs(Decimal(left) - Decimal(right)) <= documents * BOOKED_STEP,
            notice=own.get("booked_by_kind", 0) > 0,
        )
