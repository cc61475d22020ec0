"""What a document puts on which account."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.ledger.accounts.domain.chart import receivable, revenue, rounding
from gridtally.ledger.accounts.domain.postings import Document, DocumentLine, post_document
from gridtally.ledger.accounts.domain.transactions import Posting, Transaction, transaction_id

CUSTOMER = UUID(int=7)
INVOICE = UUID(int=1)


def document(lines, tax, total, **other):
    return Document(
        id=INVOICE, number="INV-1", tenant_id="t", customer_id=CUSTOMER, currency="EUR",
        lines=tuple(DocumentLine(kind, Decimal(amount), *payee) for kind, amount, *payee in lines),
        tax=Decimal(tax), total=Decimal(total), issued_at=datetime(2025, 4, 1, tzinfo=UTC),
        correlation_id="c", **other,
    )  # fmt: skip


# lines, tax, total -> the amounts on receivable, revenue per kind, tax, rounding
CASES = {
    "plain": (
        [("fixed", "10"), ("energy", "30.5"), ("energy", "9.5"), ("tax", "9.5")], "9.5", "59.5",
        {"receivable": "59.5", "revenue:fixed": "-10", "revenue:energy": "-40", "tax": "-9.5"},
    ),
    "rounded per invoice": (
        [("energy", "10.004"), ("energy", "10.004")], "0", "20.01",
        {"receivable": "20.01", "revenue:energy": "-20.008", "rounding": "-0.002"},
    ),
    "more decimals than the ledger has": (
        [("energy", "1.000000004"), ("energy", "1.000000004")], "0", "2",
        {"receivable": "2", "revenue:energy": "-2.00000001", "rounding": "0.00000001"},
    ),
    "export pays": (
        [("energy", "20"), ("credit", "-25"), ("tax", "-0.95")], "-0.95", "-5.95",
        {"export_payable": "-5.95", "revenue:credit": "25", "revenue:energy": "-20", "tax": "0.95"},
    ),
    "payees": (
        [("fixed", "10"), ("energy", "30", "Grid"), ("fixed", "2", "Grid"), ("credit", "-1", "MO"),
         ("tax", "3", "Town"), ("tax", "4")], "7", "48",
        {"receivable": "48", "revenue:fixed": "-10", "payable:Grid": "-32", "payable:MO": "1",
         "payable:Town": "-3", "tax": "-4"},
    ),
    "all taxes are for payees": (
        [("energy", "10"), ("tax", "1.9", "Treasury")], "1.9", "11.9",
        {"receivable": "11.9", "revenue:energy": "-10", "payable:Treasury": "-1.9"},
    ),
    "a payee gets nothing": (
        [("energy", "1", "Grid"), ("credit", "-1", "Grid")], "0", "0",
        {"receivable": "0", "payable:Grid": "0"},
    ),
    "a payee's name has a colon": (
        [("energy", "1", "a:b")], "0", "1", {"receivable": "1", "payable:a:b": "-1"},
    ),
    "a payee's lines are finer than the ledger": (
        [("energy", "1.000000004", "G"), ("tax", "1.000000004", "G")], "1", "2",
        {"receivable": "2", "payable:G": "-2.00000001", "rounding": "0.00000001"},
    ),
    "nothing used": ([("energy", "0")], "0", "0", {"receivable": "0"}),
    "no lines": ([], "0", "0", {"receivable": "0"}),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "tax", "total", "expected"), CASES.values(), ids=CASES)
def test_an_invoice_is_posted(lines, tax, total, expected):
    posted = post_document(document(lines, tax, total))
    assert posted.id == transaction_id("t", INVOICE)
    assert {p.account.code.removesuffix(f":{CUSTOMER}"): p.amount for p in posted.postings} == {
        code: Decimal(amount) for code, amount in expected.items()
    }


@pytest.mark.parametrize(("lines", "tax", "total", "expected"), CASES.values(), ids=CASES)
def test_a_credit_note_is_the_mirror_image(lines, tax, total, expected):
    invoice = document(lines, tax, total)
    note = replace(invoice, id=UUID(int=2), number="CN-1", credits_id=INVOICE)
    posted, mirror = post_document(invoice), post_document(note)
    assert mirror.reverses_id == posted.id
    assert [(p.account, -p.amount) for p in mirror.postings] == [
        (p.account, p.amount) for p in posted.postings
    ]
    assert len(expected) == len(mirror.postings)


@pytest.mark.parametrize(
    ("lines", "tax", "total", "why"),
    [
        ([("energy", "10")], "0", "100", "differ by"),
        ([("energy", "10")], "0", "10.000000001", "more than 8 decimals"),
        ([("energy", "1e18")], "0", "1e18", "beyond what the ledger keeps"),
        ([("energy", "1e49")], "0", "10", "beyond what the ledger keeps"),
    ],
)
def test_what_cannot_be_posted(lines, tax, total, why):
    with pytest.raises(ValueError, match=why):
        post_document(document(lines, tax, total))


@pytest.mark.parametrize("year", [1, 1899, 2200, 9999])
def test_a_document_of_no_known_time_cannot_be_posted(year):
    plain = document([("energy", "10")], "0", "10")
    with pytest.raises(ValueError, match="transaction INV-1 is of"):
        post_document(replace(plain, issued_at=plain.issued_at.replace(year=year)))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["fixed", "energy", "credit", "tax"]),
            st.decimals(-10_000, 10_000, places=10),
        ),
        max_size=20,
    ),
    st.decimals(-1, 1, places=8),
)
def test_every_posted_document_balances(lines, rest):
    taxed = sum((amount for kind, amount in lines if kind == "tax"), Decimal(0))
    taxed = taxed.quantize(Decimal("0.01"))
    net = sum((amount for kind, amount in lines if kind != "tax"), Decimal(0))
    total = (net + taxed + rest).quantize(Decimal("0.00000001"))
    assert sum(p.amount for p in post_document(document(lines, taxed, total)).postings) == 0


def test_unbalanced_and_mixed_postings_cannot_even_be_made():
    posted = post_document(document([("energy", "10")], "0", "10"))
    with pytest.raises(ValueError, match="out of balance"):
        replace(posted, postings=(*posted.postings, Posting(rounding("EUR"), Decimal(1))))
    mixed = (
        Posting(receivable("EUR", CUSTOMER), Decimal(1)),
        Posting(revenue("USD", "energy"), Decimal(-1)),
    )
    with pytest.raises(ValueError, match="mixes currencies"):
        replace(posted, postings=mixed)


def test_the_digest_knows_the_content_and_not_its_spelling():
    plain, spelled = (
        post_document(document([("energy", amount)], "0", amount)) for amount in ("10", "10.00")
    )
    assert isinstance(plain, Transaction)
    assert plain.digest == spelled.digest
    assert plain.digest != post_document(document([("energy", "11")], "0", "11")).digest


def test_another_root_is_another_document_and_none_is_what_it_always_was():
    """Invoices from before there were roots keep their digest; a repetition is the same."""
    lines = [("energy", "10"), ("tax", "1.9")]
    plain, proven, other = (
        post_document(document(lines, "1.9", "11.9", proof_root=root))
        for root in (None, "5f" * 32, "60" * 32)
    )
    assert plain.digest == post_document(document(lines, "1.9", "11.9")).digest
    assert len({plain.digest, proven.digest, other.digest}) == 3
    assert (plain.proof_root, proven.proof_root) == (None, "5f" * 32)


def test_who_is_named_is_not_in_the_digest():
    """So a document from before payees had accounts is the same when it comes again."""
    lines = [("energy", "10", "Grid"), ("tax", "1.9", "Town"), ("fixed", "3")]
    named = document(lines, "1.9", "14.9")
    before = post_document(named.booked_by_kind())
    assert {p.account.code for p in before.postings} >= {"revenue:energy", "tax"}
    assert post_document(named).digest == before.digest
    assert (named.names_payees, named.booked_by_kind().names_payees) == (True, False)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["fixed", "energy", "credit", "tax"]),
            st.decimals(-10_000, 10_000, places=2),
            st.sampled_from([None, "Grid", "Town", "a:b"]),
        ),
        max_size=20,
    )
)
def test_payees_are_owed_what_the_lines_name_them_for(lines):
    zero = Decimal(0)
    taxed = sum((amount for kind, amount, _ in lines if kind == "tax"), zero)
    total = sum((amount for _, amount, _ in lines), zero)
    owed = {}
    for kind, amount, payee in lines:
        name = f"payable:{payee}" if payee else "tax" if kind == "tax" else f"revenue:{kind}"
        owed[name] = owed.get(name, zero) + amount
    posted = {
        p.account.code: -p.amount for p in post_document(document(lines, taxed, total)).postings
    }
    own = {code: amount for code, amount in posted.items() if str(CUSTOMER) not in code}
    assert {code: amount for code, amount in own.items() if amount} == {
        code: amount for code, amount in owed.items() if amount
    }
