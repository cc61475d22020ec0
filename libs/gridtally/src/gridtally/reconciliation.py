"""The live reconciliation: does what was received, billed and booked agree, across services?

Each service answers for its own part at `/v1/reconciliation`; here their figures are set against
one another. Owns the list of things that must be equal. A difference while events are under way
is normal; one that stays is a breach.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from gridtally.api import Api, Json

POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must hold, with the figures on both sides."""

    what: str
    left: str
    right: str
    holds: bool


async def reconcile(api: Api) -> list[Finding]:
    """Every finding for the key's tenant; CommandError when a service does not answer."""
    ingest = await api.get("ingest", "/v1/reconciliation")
    billing = await api.get("billing", "/v1/reconciliation")
    ledger = await api.get("ledger", "/v1/reconciliation")
    return [*_metered(ingest), *_billed(ingest, billing), *_booked(billing, ledger)]


async def settle(api: Api, *, patience_s: float) -> list[Finding]:
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


def _metered(ingest: Json) -> Iterator[Finding]:
    counted, found = ingest["counted"], ingest["found"]
    yield _equal("blocks received = found in the tables", counted["received"], found["received"])
    kept = "stored", "duplicates", "quarantined", "waiting"
    told = ", ".join(f"{found[name]} {name}" for name in kept)
    yield Finding(
        "received = stored + duplicates + quarantined + waiting",
        str(counted["received"]),
        told,
        counted["received"] == sum(counted[name] for name in kept),
    )
    yield _equal("new values = values stored", ingest["values"]["new"], ingest["values_found"])


def _billed(ingest: Json, billing: Json) -> Iterator[Finding]:
    closed_wh = sum(one["closed_wh"] for one in ingest["energy"])
    yield _equal(
        "periods closed = periods billed or held", ingest["closed_periods"], billing["periods"]
    )
    yield _equal("energy closed = energy billed or held, Wh", closed_wh, billing["energy_wh"])
    yield _equal(
        "periods billed = periods with an invoice, none held",
        billing["periods"],
        billing["invoiced"],
    )
    yield Finding("billing agrees with itself", "; ".join(billing["breaches"]), "", billing["ok"])


def _booked(billing: Json, ledger: Json) -> Iterator[Finding]:
    booked = {one["currency"]: one for one in ledger["currencies"]}
    for one in billing["currencies"]:
        currency = one["currency"]
        other = booked.get(currency, {})
        for ours, theirs, what in (
            ("invoices", "invoices", "invoices"),
            ("credit_notes", "credit_notes", "credit notes"),
        ):
            yield _equal(f"{currency}: {what} issued = booked", one[ours], other.get(theirs, 0))
        yield _equal(
            f"{currency}: live invoices = receivable",
            one["live_total"],
            other.get("receivable", "0.00"),
        )
    yield Finding("debits = credits, in every currency", "", "", ledger["ok"])
