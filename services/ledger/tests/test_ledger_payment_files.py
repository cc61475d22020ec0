"""Files of banks: what is read of them, and which invoices a text means."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.ledger.accounts.domain.payment_files.bank_payments import (
    PAYMENTS_MAX,
    PaymentFileError,
)
from gridtally.ledger.accounts.domain.payment_files.camt import read_camt
from gridtally.ledger.accounts.domain.payment_files.matches import (
    Match,
    NamedInvoice,
    exact_match,
    keys_of,
    suggest,
)
from gridtally.ledger.accounts.domain.payment_files.table import read_payment_table

ADA, BOB = UUID(int=1), UUID(int=2)


def statement(*entries, version="08", account="DE02120300000000202051"):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}">'
        "<BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr><Stmt><Id>S</Id>"
        f"<Acct><Id><IBAN>{account}</IBAN></Id></Acct>{''.join(entries)}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def entry(amount="10.00", *, kind="CRDT", status="<Cd>BOOK</Cd>", reference="R1", details="",
          extra="", currency="EUR", day="<Dt>2025-03-04</Dt>"):  # fmt: skip
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{kind}</CdtDbtInd>{extra}'
        f"<Sts>{status}</Sts><BookgDt>{day}</BookgDt>"
        f"<AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls>{details}</NtryDtls></Ntry>"
    )


def detail(text="", *, amount=None, payer="Ada", reference="", structured=""):
    shown = f'<Amt Ccy="EUR">{amount}</Amt>' if amount else ""
    return (
        f"<TxDtls><Refs><AcctSvcrRef>{reference}</AcctSvcrRef>"
        f"<EndToEndId>NOTPROVIDED</EndToEndId></Refs>{shown}"
        f"<RltdPties><Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr></RltdPties>"
        f"<RmtInf><Ustrd>{text}</Ustrd><Strd><CdtrRefInf><Ref>{structured}</Ref></CdtrRefInf>"
        "</Strd></RmtInf></TxDtls>"
    )


@pytest.mark.parametrize("version", ["02", "08"])
def test_a_payment_of_a_statement(version):
    details = detail("INV-2025-000001 thanks", structured="RF18")
    [payment] = read_camt(statement(entry("119.50", details=details), version=version)).payments
    assert (payment.account, payment.bank_reference) == ("DE02120300000000202051", "R1")
    assert (payment.amount, payment.currency, payment.booked_on) == (
        Decimal("119.50"), "EUR", date(2025, 3, 4),
    )  # fmt: skip
    assert (payment.payer, payment.text) == ("Ada", "RF18 INV-2025-000001 thanks")


def test_the_payer_of_older_versions_and_their_states():
    old = entry(status="BOOK", details=detail().replace("<Pty>", "").replace("</Pty>", ""))
    [payment] = read_camt(statement(old, version="02")).payments
    assert payment.payer == "Ada"


@pytest.mark.parametrize(
    "other",
    [
        entry(kind="DBIT"),
        entry(status="<Cd>PDNG</Cd>"),
        entry(extra="<RvslInd>true</RvslInd>"),
    ],
)
def test_what_is_no_money_that_came_in_is_passed_over(other):
    file = read_camt(statement(other, entry("7")))
    assert ([payment.amount for payment in file.payments], file.passed_over) == ([Decimal(7)], 1)


def test_a_batch_booking_is_a_payment_for_each_detail():
    details = detail("a", amount="4", reference="A") + detail("b", amount="6", payer="Bob")
    file = read_camt(statement(entry("10.00", details=details)))
    assert [(p.amount, p.payer, p.text, p.bank_reference) for p in file.payments] == [
        (4, "Ada", "a", "A"), (6, "Bob", "b", ""),
    ]  # fmt: skip


def test_details_that_do_not_add_up_are_one_payment_of_what_was_booked():
    details = detail("a", amount="4") + detail("b", amount="7")
    [payment] = read_camt(statement(entry("10.00", details=details))).payments
    assert (payment.amount, payment.text, payment.payer) == (10, "a b", "")


def test_a_payment_has_one_id_in_every_file():
    def ids(*entries, tenant="acme"):
        return [payment.id_for(tenant) for payment in read_camt(statement(*entries)).payments]

    first = ids(entry())
    assert first == ids(entry(reference="R0"), entry())[1:]
    assert first != ids(entry(), tenant="other")
    twins = ids(*[entry(reference="")] * 2)
    assert len(set(twins)) == 2
    assert twins == ids(*[entry(reference="")] * 2)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<", "is no XML"),
        (b"<a/>", "is no bank statement of the kind camt.053"),
        (statement().replace(b"camt.053", b"camt.052"), "is no bank statement"),
        (b'<!DOCTYPE a [<!ENTITY e "x">]>' + statement().partition(b"?>")[2], "document type"),
        (statement("<x>" * 50 + "</x>" * 50), "within another"),
        (statement(entry("1.234")), "finer than EUR"),
        (statement(entry("0.00")), "is no payment"),
        (statement(entry("1e3")), "entry 1: has no amount"),
        (statement(entry(currency="")), "has no currency"),
        (statement(entry(day="<Dt>2025-02-30</Dt>")), "has no day of booking"),
        (statement(entry(details=detail("x" * 1001))), "a text of more than 1000"),
        (statement(*[entry()] * (PAYMENTS_MAX + 1)), "more than 5000 payments"),
    ],
)
def test_statements_that_cannot_be_read_are_refused_with_their_place(content, reason):
    with pytest.raises(PaymentFileError, match=reason):
        read_camt(content)


HEADER = "booked_on,amount,currency,reference,payer,bank_reference\n"


def test_payments_of_a_table():
    file = read_payment_table(
        (HEADER + "2025-03-04,119.00,EUR,INV-1 thanks,Ada,B1\n\n2025-03-05,5,JPY,,,\n").encode()
    )
    assert [(p.entry, p.amount, p.currency, p.text, p.bank_reference) for p in file.payments] == [
        (2, Decimal("119.00"), "EUR", "INV-1 thanks", "B1"), (4, 5, "JPY", "", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2025-03-04,-5,EUR,a,,", "row 2: amount is no money that came in"),
        ("2025-03-04,1_000,EUR,a,,", "row 2: amount"),
        ("2025-03-04,5,euro,a,,", "row 2: currency 'euro' is no code"),
        ("04.03.2025,5,EUR,a,,", "row 2: booked_on '04.03.2025' is no date"),
        ("2025-03-04,1,50,EUR,a,,", "row 2"),
    ],
)
def test_rows_that_are_no_payment_are_refused(row, reason):
    with pytest.raises(PaymentFileError, match=reason):
        read_payment_table((HEADER + row + "\n").encode())


def named(number, *, customer=ADA, open_="10"):
    key = "".join(character for character in number if character.isalnum()).upper()
    return NamedInvoice(UUID(int=hash(number) % 2**64), customer, number, key, Decimal(open_))


FIRST, SECOND, OF_BOB = named("INV-2025-000001"), named("INV-2025-000002"), named(
    "INV-2025-000003", customer=BOB
)  # fmt: skip
ALL = (FIRST, SECOND, OF_BOB)


@pytest.mark.parametrize(
    ("text", "invoices"),
    [
        ("INV-2025-000001", [FIRST]),
        ("invoice inv 2025 000001, thanks", [FIRST]),
        ("INV2025000001", [FIRST]),
        ("INV-2025-000002/INV-2025-000001", [SECOND, FIRST]),
        ("INV-2025-0000012", None),
        ("XINV-2025-000001", None),
        ("2025-000001", None),
        ("INV-2025-000001 INV-2025-000003", None),  # of two customers
        ("", None),
    ],
)
def test_a_text_names_invoices_by_their_whole_numbers(text, invoices):
    match = exact_match(text, ALL)
    assert (None if match is None else list(match.invoices)) == invoices


@pytest.mark.parametrize(
    ("amount", "open_amounts", "allocated"),
    [
        ("10", ["10"], ["10"]),
        ("7", ["10"], ["7"]),
        ("25", ["10", "10"], ["10", "10"]),
        ("15", ["10", "10"], ["10", "5"]),
        ("15", ["0", "10"], ["10"]),
        ("15", ["0"], None),
    ],
)
def test_a_payment_pays_what_it_names_in_that_order(amount, open_amounts, allocated):
    invoices = tuple(named(f"INV-{n:04}", open_=open_) for n, open_ in enumerate(open_amounts))
    allocations = Match(ADA, invoices).allocations(Decimal(amount))
    shown = None if allocations is None else [str(part.amount) for part in allocations]
    assert shown == allocated


def test_suggestions_are_what_is_named_and_then_what_has_the_amount_open():
    assert suggest("INV-2025-000001 INV-2025-000003", ALL, ()) == (FIRST, OF_BOB)
    assert suggest("bill 000002", (), ALL) == (SECOND, FIRST, OF_BOB)
    assert len(suggest("", (), [named(f"X-{n:04}") for n in range(9)])) == 5


@given(st.text(max_size=300))
def test_no_text_has_too_many_keys(text):
    keys = keys_of(text)
    assert len(keys) <= 60 * 4
    assert all(key.isascii() and key.isalnum() for key in keys)


@given(
    before=st.text(alphabet=" .,;:", max_size=3),
    after=st.text(alphabet=" .,;:", max_size=3),
    separator=st.sampled_from(["-", " ", "/", ""]),
)
def test_a_number_is_known_however_its_parts_are_separated(before, after, separator):
    text = before + separator.join(["inv", "2025", "000001"]) + after
    assert exact_match(text, [FIRST]) == Match(ADA, (FIRST,))
