"""The independent checker: compares what was sent with what every store and topic holds.

It shares no code with the services. A finding is one sentence that begins with its subject; a
system without findings has lost nothing and done nothing twice.
"""

import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from faults.state import Locations, Log, Rows, load_log, load_rows, unfinished

SHOWN_MAX = 5
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Block:
    """Readings that the broker (or ingest's API) has acknowledged."""

    event_id: UUID
    meter_id: UUID
    flow: str
    start_at: datetime
    minutes: int
    values: tuple[int, ...]
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement whose whole time is one period that must have been billed."""

    agreement_id: UUID
    meter_id: UUID
    start_on: date
    end_on: date
    zone: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a tenant's workload was promised."""

    tenant_id: str
    blocks: Sequence[Block]
    agreements: Sequence[Agreement]


async def check(locations: Locations, expected: Expected) -> list[str]:
    """Every finding about the tenant, at most a few of a kind."""
    found = await unfinished(locations, expected.tenant_id)
    rows = await load_rows(locations, expected.tenant_id)
    log = await load_log(locations.bootstrap, expected.tenant_id)
    truth = newest(expected.blocks)
    for findings in (
        _blocks(expected.blocks, rows),
        _readings(truth, rows),
        _counted(truth, rows, log),
        _usage(rows, log),
        _periods(expected.agreements, rows, log),
        _invoices(expected.agreements, truth, rows),
        _evidence(rows),
        _numbers(rows),
        _announced(rows, log),
        _posted(rows),
        _balanced(rows),
    ):
        found += _some(findings)
    return found


def subjects_of(findings: Iterable[str]) -> set[str]:
    """What the findings are about."""
    return {finding.partition(":")[0] for finding in findings}


def newest(blocks: Iterable[Block]) -> dict[tuple[UUID, str], dict[datetime, int]]:
    """Per meter and flow, each interval's value in the block that was read last."""
    truth: dict[tuple[UUID, str], dict[datetime, int]] = defaultdict(dict)
    for block in sorted(blocks, key=lambda block: block.read_at):
        values = truth[block.meter_id, block.flow]
        for slot, value in enumerate(block.values):
            values[block.start_at + timedelta(minutes=block.minutes * slot)] = value
    return truth


def _blocks(blocks: Sequence[Block], rows: Rows) -> Iterator[str]:
    """Acknowledged − stored is empty, stored − acknowledged too, and nothing is there twice."""
    pieces: dict[UUID, dict[datetime, list[int]]] = defaultdict(dict)
    for row in rows["reading_block"]:
        if row["start_at"] in pieces[row["event_id"]]:
            yield f"blocks: {row['event_id']} is stored twice"
        pieces[row["event_id"]][row["start_at"]] = row["values"]
    sent = {block.event_id: block for block in blocks}
    for event_id, block in sent.items():
        stored = [value for _, part in sorted(pieces[event_id].items()) for value in part]
        if stored != list(block.values):
            yield f"blocks: {event_id} is stored as {len(stored)} of {len(block.values)} values"
    for unknown in pieces.keys() - sent.keys():
        yield f"blocks: {unknown} was never sent"


def _readings(truth: Mapping[tuple[UUID, str], dict[datetime, int]], rows: Rows) -> Iterator[str]:
    """Each interval holds the newest value sent, and there are no others."""
    stored: dict[tuple[UUID, str], dict[datetime, int]] = defaultdict(dict)
    for row in rows["channel_day"]:
        begin = datetime.combine(row["day"], datetime.min.time(), ZoneInfo(row["zone"]))
        begin = begin.astimezone(UTC)
        for slot, value in enumerate(row["values"]):
            if value is not None:
                at = begin + timedelta(minutes=row["minutes"] * slot)
                stored[row["meter_id"], row["flow"]][at] = value
    for meter, flow in truth.keys() | stored.keys():
        wanted, found = truth.get((meter, flow), {}), stored.get((meter, flow), {})
        if wanted != found:
            wrong = [at for at in wanted.keys() | found.keys() if wanted.get(at) != found.get(at)]
            at = min(wrong)
            yield (
                f"readings: meter {meter} {flow}: {len(wrong)} intervals differ, the first at "
                f"{at}: sent {wanted.get(at, MISSING)}, stored {found.get(at, MISSING)}"
            )


def _counted(
    truth: Mapping[tuple[UUID, str], dict[datetime, int]], rows: Rows, log: Log
) -> Iterator[str]:
    """Ingest has counted each message on the topic once, and each interval as new once."""
    received = sum(row["received"] for row in rows["intake_count"])
    if received != (sent := len(log["readings.received.v1"])):
        yield f"counted: {received} messages were received, {sent} are on the topic"
    new = sum(row["readings_new"] for row in rows["intake_count"])
    if new != (intervals := sum(map(len, truth.values()))):
        yield f"counted: {new} new readings of {intervals} intervals"


def _usage(rows: Rows, log: Log) -> Iterator[str]:
    """The newest usage on the topic, and billing's copy of it, are what ingest has stored."""
    published: dict[tuple[str, str, str], dict] = {}
    for event in log["usage.recorded.v1"]:
        key = (event["meter_id"], event["flow"], event["day"])
        if key not in published or published[key]["version"] < event["version"]:
            published[key] = event
    copied = {
        (str(row["meter_id"]), row["flow"], row["day"].isoformat()): row
        for row in rows["daily_usage"]
    }
    for row in rows["channel_day"]:
        key = (str(row["meter_id"]), row["flow"], row["day"].isoformat())
        event, copy = published.get(key), copied.get(key)
        if event is None or event["version"] != row["version"] or event["values"] != row["values"]:
            yield f"usage: {key} was not announced as it is stored"
        elif copy is None or copy["version"] != row["version"]:
            yield f"usage: billing has not the newest version of {key}"


def _periods(agreements: Sequence[Agreement], rows: Rows, log: Log) -> Iterator[str]:
    """Every agreement's period is closed, and each revision published once or in equal words."""
    closed = {
        (row["agreement_id"], row["start_on"], row["end_on"])
        for row in rows["period"]
        if row["state"] == "closed"
    }
    for agreement in agreements:
        if (agreement.agreement_id, agreement.start_on, agreement.end_on) not in closed:
            yield f"periods: that of agreement {agreement.agreement_id} is not closed"
    published: dict[tuple[str, str, int], dict] = {}
    for event in log["period.closed.v1"]:
        key = (event["agreement_id"], event["start_on"], event["revision"])
        if published.setdefault(key, event) != event:
            yield f"periods: {key} was published in two ways"
    for row in rows["period"]:
        for revision in range(1, row["revision"] + 1):
            key = (str(row["agreement_id"]), row["start_on"].isoformat(), revision)
            if key not in published:
                yield f"periods: {key} was never published"


def _invoices(
    agreements: Sequence[Agreement],
    truth: Mapping[tuple[UUID, str], dict[datetime, int]],
    rows: Rows,
) -> Iterator[str]:
    """One live invoice for each closed period: of its newest revision, over the energy sent."""
    credited = {row["invoice_id"] for row in rows["credit_note"]}
    live = defaultdict(list)
    for row in _bills(rows):
        if (row["collective_id"] or row["id"]) not in credited:
            live[row["agreement_id"], row["start_on"]].append(row)
    revisions = {
        (row["agreement_id"], row["start_on"]): row["revision"]
        for row in rows["period"]
        if row["state"] == "closed"
    }
    for key in live.keys() | revisions.keys():
        have = [row["revision"] for row in live[key]]
        if have != [revisions.get(key)]:
            yield f"invoices: {key[0]} has live revisions {have}, closed is {revisions.get(key)}"
    energy = _energy_wh(rows)
    for agreement in agreements:
        values = truth.get((agreement.meter_id, "import"), {})
        begin, end = (
            datetime.combine(day, datetime.min.time(), ZoneInfo(agreement.zone))
            for day in (agreement.start_on, agreement.end_on)
        )
        wanted = sum(value for at, value in values.items() if begin <= at < end)
        for row in live[agreement.agreement_id, agreement.start_on]:
            if energy[row["id"]] != wanted:
                yield f"invoices: {row['number']} bills {energy[row['id']]} Wh of {wanted} sent"


def _bills(rows: Rows) -> list[asyncpg.Record]:
    """The invoices of single periods, and the sections of collective ones."""
    return [row for row in rows["invoice"] if not row["is_collective"]]


def _sent(rows: Rows) -> list[asyncpg.Record]:
    """The invoices that are owed: a section is in its collective one."""
    return [row for row in rows["invoice"] if row["collective_id"] is None]


def _energy_wh(rows: Rows) -> Counter[UUID]:
    """What each invoice charges as imported energy."""
    energy: Counter[UUID] = Counter()
    for line in rows["invoice_line"]:
        if line["kind"] == "energy" and line["flow"] == "import":
            energy[line["invoice_id"]] += int(line["quantity"] * 1000)
    return energy


def _evidence(rows: Rows) -> Iterator[str]:
    """Every invoice, live or not, equals its evidence, and its lines add up to it."""
    usage = {
        row["invoice_id"]: {
            series["flow"]: sum(value or 0 for value in series["values"])
            for series in json.loads(zlib.decompress(row["usage"]))
        }
        for row in rows["invoice_evidence"]
    }
    energy = _energy_wh(rows)
    net: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    tax: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    for line in rows["invoice_line"]:
        (tax if line["kind"] == "tax" else net)[line["invoice_id"]] += line["amount"]
    for row in rows["invoice"]:
        if row["id"] not in usage and not row["is_collective"]:
            yield f"evidence: {row['number']} has none"
        elif row["id"] in usage and usage[row["id"]].get("import", 0) != energy[row["id"]]:
            yield f"evidence: {row['number']} bills {energy[row['id']]} Wh of {usage[row['id']]}"
        if (net[row["id"]], tax[row["id"]]) != (row["net"], row["tax"]):
            yield f"evidence: the lines of {row['number']} do not add up to it"
    for stray in usage.keys() - {row["id"] for row in rows["invoice"]}:
        yield f"evidence: {stray} belongs to no invoice"


def _numbers(rows: Rows) -> Iterator[str]:
    """In each series the numbers are 1, 2, 3 … without gaps or repetition."""
    series: dict[str, list[int]] = defaultdict(list)
    for row in (*_sent(rows), *rows["credit_note"]):
        prefix, serial = re.fullmatch(r"(.+)-(\d+)", row["number"]).groups()
        series[prefix].append(int(serial))
    for prefix, serials in series.items():
        if sorted(serials) != list(range(1, len(serials) + 1)):
            yield f"numbers: {prefix} has {len(serials)} from {min(serials)} to {max(serials)}"


def _announced(rows: Rows, log: Log) -> Iterator[str]:
    """What is stored was announced, what was announced is stored, and copies are equal."""
    for table, topic, key in (
        ("invoice", "invoice.issued.v1", "invoice_id"),
        ("credit_note", "credit_note.issued.v1", "credit_note_id"),
        ("agreement", "agreement.changed.v1", "agreement_id"),
    ):
        stated = _sent(rows) if table == "invoice" else rows[table]
        stored = {str(row["id"]) for row in stated}
        published = defaultdict(list)
        for event in log[topic]:
            published[event[key]].append(event)
        for silent in stored - published.keys():
            yield f"announced: {table} {silent} never was"
        for stray in published.keys() - stored:
            yield f"announced: {table} {stray} is not stored"
        for resource_id, events in published.items():
            if any(event != events[0] for event in events[1:]):
                yield f"announced: {table} {resource_id} was published in two ways"


def _posted(rows: Rows) -> Iterator[str]:
    """Ledger transactions = invoices + credit notes, each posted once with its amount."""
    documents = {row["id"]: row["total"] for row in (*_sent(rows), *rows["credit_note"])}
    posted = Counter(row["document_id"] for row in rows["transaction"])
    for document in documents.keys() - posted.keys():
        yield f"posted: document {document} is not in the ledger"
    for document, times in posted.items():
        if document not in documents:
            yield f"posted: document {document} was never issued"
        if times > 1:
            yield f"posted: document {document} is in the ledger {times} times"
    for row in rows["transaction"]:
        if documents.get(row["document_id"], row["total"]) != row["total"]:
            yield f"posted: {row['reference']} with {row['total']}"


def _balanced(rows: Rows) -> Iterator[str]:
    """Debits = credits in each transaction, on each account, and in all; receivables are live."""
    of_transaction: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    of_account: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    for row in rows["posting"]:
        of_transaction[row["transaction_id"]] += row["amount"]
        of_account[row["account_id"]] += row["amount"]
    for row in rows["transaction"]:
        if of_transaction.pop(row["id"], None) != 0:
            yield f"balance: {row['reference']} is out of balance or empty"
    for stray in of_transaction:
        yield f"balance: postings of {stray} belong to no transaction"
    held: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    for row in rows["account_part"]:
        held[row["account_id"]] += row["debits"] - row["credits"]
    for row in rows["account"]:
        if held[row["id"]] + row["debits"] - row["credits"] != of_account[row["id"]]:
            yield f"balance: account {row['code']} is not the sum of its postings"
    if total := sum(of_account.values()):
        yield f"balance: all postings together are {total}"
    credited = {row["invoice_id"] for row in rows["credit_note"]}
    live = sum(row["total"] for row in _sent(rows) if row["id"] not in credited)
    claims = ("receivable", "export_payable")
    owed = sum(of_account[row["id"]] for row in rows["account"] if row["class"] in claims)
    if owed != live:
        yield f"balance: receivables are {owed}, live invoices {live}"


def _some(findings: Iterable[str]) -> list[str]:
    """The first few, and how many more there are."""
    every = list(findings)
    more = len(every) - SHOWN_MAX
    subject = every[0].partition(":")[0] if every else ""
    return every[:SHOWN_MAX] + ([f"{subject}: and {more} more"] if more > 0 else [])
