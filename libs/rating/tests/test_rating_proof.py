"""Proofs of invoices: whole they hold, and whatever is done to one is found and named."""

import copy
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from gridtally.kernel.chain import Tampered
from gridtally.kernel.money import plain
from gridtally.kernel.periods import ONE_DAY, Period, slots_in_day
from gridtally.rating.line_documents import quality_document
from gridtally.rating.proof.contents import ProvenSeries, basis_of, digest_of, text_of
from gridtally.rating.proof.leaves import FORMAT, leaves_of, root_of
from gridtally.rating.proof.verification import verify_invoice
from gridtally.rating.quality import quality_of_all
from gridtally.rating.recalculation import rate_again
from gridtally.rating.state import state_document

GOLDEN = Path(__file__).parents[3] / "tests" / "golden" / "invoice_proof.json"
DOCUMENT = Path(__file__).parents[3] / "docs" / "proof.md"
GOLDEN_ROOT = "2c7ccd9265ed6f5f8ac20c87722095820f292309f217d38b63d57d9119f97675"
ZONE = "Europe/Berlin"
DAYS = Period(date(2025, 3, 29), date(2025, 4, 2))
"""95 hours: the clocks go forward on the 30th."""
OLD, NEW = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
CAPACITY = {"kind": "capacity", "id": "kw", "rate": "1"}
TAMPERINGS_MIN = 200


def tariff(rate, *more):
    return {
        "currency": "EUR",
        "zone": ZONE,
        "components": [
            {"kind": "fixed", "id": "base", "rate": "12.50", "per": "month"},
            {"kind": "time_of_use", "id": "energy", "default_band": "day",
             "bands": [{"name": "day", "rate": rate}, {"name": "night", "rate": "0.1979"}],
             "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}]},
            {"kind": "energy", "id": "grid", "rate": "0.05", "payee": "Stadtwerke"},
            {"kind": "spot", "id": "spot", "series": "DE-LU", "markup": "0.02"},
            {"kind": "tiered", "id": "steps", "limits": {"per": "period", "reset_months": 12},
             "tiers": [{"limit": "500", "rate": "0.01"}, {"rate": "0.02"}]},
            {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["base", "energy"]},
            *more,
        ],
    }  # fmt: skip


def sealed(contents):
    """A proof of contents, with their hashes and their root."""
    leaves = leaves_of(contents)
    hashes = {path: leaf.hex() for path, leaf in leaves.items()}
    return {"format": FORMAT, "root": root_of([*leaves.values()]), "hashes": hashes, **contents}


def contents_of(proof):
    return {
        name: value for name, value in proof.items() if name not in ("format", "root", "hashes")
    }


def readings_and_prices():
    """Hours of two flows, one of them missing, and the market's days."""
    slots = DAYS.slots(ZONE, 60)
    flows = {
        "import": [13 * slot % 701 for slot in range(slots)],
        "export": [slot % 7 for slot in range(slots)],
    }
    flows["import"][40] = None
    quality = "AE" + "A" * 38 + "-" + "A" * (slots - 41)
    series = [
        {
            "flow": flow,
            "minutes": 60,
            "values": values,
            "quality": quality if flow == "import" else "A" * slots,
        }
        for flow, values in flows.items()
    ]
    market = Period(DAYS.start_on - ONE_DAY, DAYS.end_on + ONE_DAY)
    prices = [
        {"code": "DE-LU", "day": day.isoformat(), "version": 1, "zone": ZONE, "minutes": 60,
         "currency": "EUR",
         "prices": [f"0.{hour + 100}" for hour in range(slots_in_day(ZONE, day, 60))]}
        for day in market.dates()
    ]  # fmt: skip
    return series, prices


@pytest.fixture(scope="module")
def proof():
    """The proof of an invoice on two versions of a tariff, of which every part has contents."""
    series, prices = readings_and_prices()
    slots = len(series[0]["values"])
    digest = digest_of([ProvenSeries(**own) for own in series])
    contents = {
        "invoice": {
            "tenant_id": "acme", "id": OLD, "number": "INV-2025-000007", "customer_id": NEW,
            "agreement_id": OLD, "meter_id": NEW, "start_on": "2025-03-29", "end_on": "2025-04-02",
            "revision": 2, "restatement": 1, "issued_at": "2025-04-02T10:00:00.123456Z",
            "correlation_id": "c-é", "brought_forward": "-3.20", "arrears": "0.00",
        },
        "lines": [],
        "readings": {
            "zone": ZONE, "connected_kw": "15.0", "closed_by": "grace", "digest": digest,
            "expected_intervals": 2 * slots, "present_intervals": 2 * slots - 1,
        },
        "series": series,
        "parts": [
            {"start_on": "2025-03-29", "end_on": "2025-04-01", "tariff_version_id": OLD},
            {"start_on": "2025-04-01", "end_on": "2025-04-02", "tariff_version_id": NEW},
        ],
        "tariff_versions": [
            {"id": OLD, "document": tariff("0.3011")},
            {"id": NEW, "document": tariff("0.3122", CAPACITY)},
        ],
        "prices": prices,
        "state_before": {
            "steps": {"kind": "progress", "since_on": "2025-01-01",
                      "used": [{"band": None, "kwh": "499.5"}]},
        },
        "state_after": {},
    }  # fmt: skip
    basis = basis_of(contents).bill
    bill = rate_again(basis)
    contents["lines"] = [text_of(line) for line in bill.lines]
    contents["state_after"] = state_document(bill.state)
    contents["invoice"] |= {
        "currency": bill.currency, "net": plain(bill.net), "tax": plain(bill.tax),
        "total": plain(bill.total), "quality": quality_document(quality_of_all(basis.doubtful)),
    }  # fmt: skip
    return json.loads(json.dumps(sealed(contents)))


def test_a_proof_holds(proof):
    proven = verify_invoice(proof, proof["root"])
    assert (proven.number, proven.currency, proven.lines) == (
        "INV-2025-000007",
        "EUR",
        len(proof["lines"]),
    )
    assert proven.total == proof["invoice"]["total"]
    reordered = {name: proof[name] for name in sorted(proof, reverse=True)}
    assert verify_invoice(json.loads(json.dumps(reordered, indent=4))) == proven


def test_a_proof_of_before_holds_for_ever():
    """What is hashed of an invoice never changes: this file was written when proofs began."""
    golden = json.loads(GOLDEN.read_text())
    assert (golden["root"], verify_invoice(golden).root) == (GOLDEN_ROOT, GOLDEN_ROOT)


def test_the_documents_own_script_comes_to_the_root(proof):
    (script,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    for document, status in ((proof, 0), (changed(proof, ("lines", 0, "rate"), "1"), 1)):
        ran = subprocess.run(
            [sys.executable, "-c", script],
            input=json.dumps(document),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == status
        assert ran.stdout.strip() == (proof["root"] if status == 0 else "")


def nodes_of(value, path=()):
    """Every place of a document: its path from the top."""
    entries = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, child in entries:
        yield (*path, key)
        yield from nodes_of(child, (*path, key))


def parent_of(document, path):
    for key in path[:-1]:
        document = document[key]
    return document


def other_than(value):
    """Values that stand as near to this one as can be."""
    if isinstance(value, bool) or value is None:
        return [0 if value is None else not value, ""]
    if isinstance(value, int):
        return [value + 1, str(value), None]
    if isinstance(value, str):
        swapped = value[:-1] + ("0" if value[-1:] != "0" else "1")
        return [swapped, value + "0", None]
    return [None, [] if isinstance(value, dict) else {}]


def paths_tried(document):
    """Every place; of the readings and the prices of one day one in nine."""
    for number, path in enumerate(nodes_of(document)):
        is_series = "values" in path[:-1] or "prices" in path[1:-1]
        if not is_series or number % 9 == 0:
            yield path


def tamperings(document):
    """Copies of the document of which one place each was changed, removed, or has been swapped."""
    for path in paths_tried(document):
        original = parent_of(document, path)[path[-1]]
        for other in other_than(original):
            copied = copy.deepcopy(document)
            parent_of(copied, path)[path[-1]] = other
            yield path, copied
        copied = copy.deepcopy(document)
        del parent_of(copied, path)[path[-1]]
        yield path, copied
        siblings = parent_of(document, path)
        keys = [*siblings] if isinstance(siblings, dict) else [*range(len(siblings))]
        following = keys[(keys.index(path[-1]) + 1) % len(keys)]
        if siblings[following] != original:
            copied = copy.deepcopy(document)
            swapped = parent_of(copied, path)
            swapped[path[-1]], swapped[following] = swapped[following], original
            yield path, copied


def test_whatever_is_done_to_a_proof_is_found(proof):
    done, sections = 0, set()
    for path, forged in tamperings(proof):
        with pytest.raises(Tampered):
            verify_invoice(forged)
        done += 1
        sections.add(path[0])
    assert done > TAMPERINGS_MIN
    assert sections == set(proof)


def changed(proof, path, value):
    copied = copy.deepcopy(proof)
    parent_of(copied, path)[path[-1]] = value
    return copied


FOUND = [
    # what is done, the one line that says so
    (("series", 0, "values", 3), 38, "/series/0 was changed"),
    (("tariff_versions", 1, "document", "components", 1, "bands", 0, "rate"), "0.3121",
     "/tariff_versions/1 was changed"),
    (("hashes", "/series/0"), "0" * 64, "/hashes/series/0 is not that of its content"),
    (("root",), "0" * 64, "/root is not that of what the proof holds"),
    (("root",), None, "the proof has no root"),
    (("format",), "gridtally-invoice-proof-2", "/format is not"),
    (("more",), 1, "/more was added"),
    (("series", 0, "values", 3), 39.0, "/series/0 was changed"),
    (("invoice", "number"), "\ud800", "it holds what no proof holds"),
    (("lines",), {}, "/lines is no list any more"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "text"), FOUND)
def test_what_was_tampered_with_is_named(proof, path, value, text):
    with pytest.raises(Tampered) as found:
        verify_invoice(changed(proof, path, value))
    assert text in str(found.value)
    assert "\n" not in str(found.value)


FORGED = [
    (("series", 0, "values", 3), 40, "/readings/digest is not that of /series"),
    (("lines", 1, "amount"), "0.01", "/lines/1/amount (energy) is 0.01, the readings make"),
    (("invoice", "total"), "0.01", "/invoice/total is 0.01, the readings make"),
    (("invoice", "quality", "worst"), "actual", "/invoice/quality is"),
    (("state_before", "steps", "used", 0, "kwh"), "400", "/lines/"),
    (("state_after", "steps", "since_on"), "2024-01-01", "/state_after is not what"),
    (("tariff_versions", 0, "document", "components", 2, "rate"), "0.06", "(grid) is 0.05"),
    (("prices", 1, "prices", 5), "0.9", "(spot) is"),
    (("parts", 0, "end_on"), "2025-03-31", "no bill can be made"),
    (("readings", "closed_by"), "complete", "no bill can be made"),
    (("readings", "zone"), "Europe/Nowhere", "it cannot be read"),
    (("tariff_versions", 0, "document", "zone"), "Mars", "no bill can be made"),
    (("series", 0, "values"), [1], "it cannot be read"),
    (("series", 0, "minutes"), 0, "it cannot be read"),
    (("invoice", "end_on"), "9999-12-31", "it cannot be read"),
    (("invoice",), [], "it cannot be read"),
]


@pytest.mark.parametrize(("path", "value", "text"), FORGED)
def test_a_proof_that_was_sealed_again_is_found_by_its_bill_and_by_the_root(
    proof, path, value, text
):
    """Whoever forges contents and hashes and root must forge a bill that comes out, and the root
    that is on the invoice."""
    forged = sealed(contents_of(changed(proof, path, value)))
    with pytest.raises(Tampered) as found:
        verify_invoice(forged)
    assert text in str(found.value)
    with pytest.raises(Tampered, match=f"the invoice's is {proof['root']}"):
        verify_invoice(forged, proof["root"])


def test_another_consistent_proof_is_not_that_of_the_invoice(proof):
    forged = sealed(contents_of(changed(proof, ("invoice", "number"), "INV-2025-000008")))
    assert verify_invoice(forged).number == "INV-2025-000008"
    with pytest.raises(Tampered, match="the root is"):
        verify_invoice(forged, proof["root"])


def test_an_invoice_of_before_has_no_root_and_its_bill_is_checked_all_the_same(proof):
    old = changed(changed(proof, ("root",), None), ("invoice", "quality"), None)
    for line in old["lines"]:
        line["quality"] = None
    old = sealed(contents_of(old)) | {"root": None}
    with pytest.raises(Tampered, match="no root"):
        verify_invoice(old)
    assert verify_invoice(old, may_lack_root=True).root is None
    with pytest.raises(Tampered, match="/lines/0 was changed"):
        verify_invoice(changed(old, ("lines", 0, "amount"), "9"), may_lack_root=True)
    with pytest.raises(Tampered, match="/state_after was changed"):
        verify_invoice(changed(old, ("state_after",), {}), may_lack_root=True)


@pytest.mark.parametrize("document", [None, [], "proof", {}, {"format": FORMAT}])
def test_what_is_no_proof_is_refused(document):
    with pytest.raises(Tampered):
        verify_invoice(document)
