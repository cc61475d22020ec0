"""Direct debits: mandates by the day, files that banks read, and bank accounts in requests."""

import dataclasses
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
import sepaxml
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pydantic import TypeAdapter, ValidationError

from examples import examples
from gridtally.kernel.errors import Conflict, Rejected
from gridtally.ledger.accounts.api.mandates import Bic, CreditorId, Iban, SepaId
from gridtally.ledger.accounts.domain.direct_debits import (
    RETURNED,
    Batch,
    Collectable,
    DebitPosition,
    debits_of,
    require_collection_day,
)
from gridtally.ledger.accounts.domain.mandates import Mandate, masked
from gridtally.ledger.accounts.domain.pain import NAMESPACE, pain_file
from gridtally.ledger.accounts.domain.payment_files.bank_payments import PaymentFileError
from gridtally.ledger.accounts.domain.payment_files.camt import read_camt

SCHEMA = Path(sepaxml.__file__).parent / "schemas" / "pain.008.001.08.xsd"
P = f"{{{NAMESPACE}}}"
MANDATE = Mandate(
    "M-1", date(2025, 1, 15), "first", "core", "DE02120300000000202051", "BYLADEM1001", "Ada"
)
BATCH = Batch(
    UUID(int=7), "DE98ZZZ09999999999", "Stadtwerke & Söhne", "DE02120300000000202051", None,
    date(2025, 5, 1), date(2025, 5, 6), datetime(2025, 5, 2, 9, 30, tzinfo=UTC),
)  # fmt: skip
DAYS = [
    # what differs, the day, its state
    ({}, date(2025, 1, 14), "not_yet"),
    ({}, date(2025, 1, 15), "in_force"),
    ({}, date(2028, 1, 14), "in_force"),
    ({}, date(2028, 1, 15), "lapsed"),
    ({"last_collected_on": date(2026, 3, 1)}, date(2029, 2, 28), "in_force"),
    ({"last_collected_on": date(2026, 3, 1)}, date(2029, 3, 1), "lapsed"),
    ({"signed_on": date(2024, 2, 29)}, date(2027, 2, 27), "in_force"),
    ({"signed_on": date(2024, 2, 29)}, date(2027, 2, 28), "lapsed"),
    ({"revoked_on": date(2025, 2, 1)}, date(2025, 1, 31), "in_force"),
    ({"revoked_on": date(2025, 2, 1)}, date(2025, 2, 1), "revoked"),
    ({"sequence": "one_off"}, date(2025, 2, 1), "in_force"),
    ({"sequence": "one_off", "last_collected_on": date(2025, 2, 1)}, date(2025, 2, 2), "used"),
]


@pytest.mark.parametrize(("changes", "on", "state"), DAYS)
def test_whether_a_mandate_is_in_force_follows_from_the_day(changes, on, state):
    assert dataclasses.replace(MANDATE, **changes).state(on) == state


def test_what_was_revoked_stands_on_no_day():
    mandate = Mandate(
        "M", date(2025, 3, 1), "recurrent", "core", "DE02120300000000202051", None, "A"
    )
    days = [date(2025, 2, 1), date(2025, 3, 1), date(2028, 3, 1)]
    assert [mandate.stands(on) for on in days] == [True, True, False]
    assert not any(
        dataclasses.replace(mandate, revoked_on=date(2028, 1, 1)).stands(on) for on in days
    )


def test_after_the_first_collection_the_next_is_recurrent():
    used = MANDATE.collected(date(2025, 5, 6))
    assert (used.sequence, used.last_collected_on) == ("recurrent", date(2025, 5, 6))
    assert used.collected(date(2025, 4, 6)) == used
    assert MANDATE.collected(None) == MANDATE
    assert dataclasses.replace(MANDATE, sequence="one_off").collected(
        date(2025, 5, 6)
    ).sequence == "one_off"  # fmt: skip


@pytest.mark.parametrize(("day", "is_fine"), [(3, False), (4, True), (31, True)])
def test_the_day_of_collection_leaves_the_bank_its_time(day, is_fine):
    """Two days of lead from 2 May."""
    if is_fine:
        require_collection_day(date(2025, 5, day), date(2025, 5, 2), 2)
    else:
        with pytest.raises(Rejected, match="nothing can be collected"):
            require_collection_day(date(2025, 5, day), date(2025, 5, 2), 2)
    with pytest.raises(Rejected):
        require_collection_day(date(2025, 8, 1), date(2025, 5, 2), 2)


def collectable(n, amount="10.00", **mandate):
    return Collectable(
        UUID(int=n), "invoice", UUID(int=100 + n), f"INV-{n}", Decimal(amount),
        dataclasses.replace(MANDATE, **{"mandate_id": f"M-{n}"} | mandate),
    )  # fmt: skip


def test_a_mandate_for_one_debit_collects_one():
    items = [
        collectable(1, mandate_id="M", sequence="one_off"),
        collectable(2, mandate_id="M", sequence="one_off"),
        collectable(3, mandate_id="R"),
        collectable(4, mandate_id="R"),
    ]
    assert [debit.number for debit in debits_of(BATCH.id, items)] == ["INV-1", "INV-3", "INV-4"]


def test_one_debit_of_a_mandate_that_is_new_is_its_first():
    items = [collectable(n, mandate_id="M", sequence="first") for n in range(2)]
    sequences = [debit.sequence for debit in debits_of(BATCH.id, items)]
    assert sequences == ["first", "recurrent"]


def test_a_batch_is_cancelled_before_its_day_and_once():
    BATCH.require_cancellable(date(2025, 5, 5), 0)
    cancelled = dataclasses.replace(BATCH, cancelled_at=BATCH.created_at)
    for batch, day, collected in [(BATCH, 6, 0), (BATCH, 5, 1), (cancelled, 5, 0)]:
        with pytest.raises(Conflict):
            batch.require_cancellable(date(2025, 5, day), collected)


def test_the_books_say_what_came_of_a_debit():
    [debit] = debits_of(BATCH.id, [collectable(1)])
    at = BATCH.created_at
    cancelled = dataclasses.replace(BATCH, cancelled_at=at)
    positions = [
        (DebitPosition(debit, None, None, None), BATCH, "open", None),
        (DebitPosition(debit, None, None, None), cancelled, "cancelled", None),
        (DebitPosition(debit, UUID(int=1), None, None), cancelled, "collected", None),
        (DebitPosition(debit, UUID(int=1), at, f"{RETURNED}MD06"), BATCH, "returned", "MD06"),
        (DebitPosition(debit, UUID(int=1), at, "by hand"), BATCH, "returned", None),
        (DebitPosition(debit, UUID(int=1), at, None), BATCH, "returned", None),
    ]
    for position, batch, state, reason in positions:
        assert (position.state(batch), position.return_reason) == (state, reason)


@pytest.fixture(scope="module")
def schema():
    """ISO 20022's own, from another project."""
    return etree.XMLSchema(etree.parse(SCHEMA))


def written(debits, batch=BATCH):
    return b"".join(pain_file(batch, debits))


def test_the_same_batch_makes_the_same_bytes(schema):
    debits = debits_of(BATCH.id, [collectable(1), collectable(2, bic=None, holder="Łucja Groß-Ñ")])
    file = written(debits)
    schema.assertValid(etree.fromstring(file))
    assert written(debits[::-1]) == written(debits)
    assert file == (Path(__file__).parent / "pain.008.xml").read_bytes()


def test_what_no_longer_says_whose_account_it_is_makes_no_file():
    [debit] = debits_of(BATCH.id, [collectable(1)])
    with pytest.raises(ValueError, match="no longer whose account"):
        written([dataclasses.replace(debit, iban=None, holder=None)])


items = st.lists(
    st.builds(
        lambda n, cents, holder, scheme, sequence: collectable(
            n, f"{Decimal(cents) / 100}", holder=holder, scheme=scheme, sequence=sequence
        ),
        st.integers(1, 10**9),
        st.integers(1, 10**11 - 1),
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80),
        st.sampled_from(["core", "b2b"]),
        st.sampled_from(["first", "recurrent", "one_off"]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda item: item.item_id,
)


@examples(100)
@given(items)
def test_the_sums_of_a_file_are_those_of_its_debits(schema, made):
    """Read by a parser that knows nothing of ours, in the schema's own words."""
    debits = debits_of(BATCH.id, made)
    root = etree.fromstring(written(debits))
    schema.assertValid(root)
    groups = root.findall(f".//{P}PmtInf")
    read = {}
    for group in groups:
        own = group.findall(f"{P}DrctDbtTxInf")
        amounts = [Decimal(debit.findtext(f"{P}InstdAmt")) for debit in own]
        assert (group.findtext(f"{P}NbOfTxs"), Decimal(group.findtext(f"{P}CtrlSum"))) == (
            str(len(own)), sum(amounts),
        )  # fmt: skip
        kind = (
            group.findtext(f"{P}PmtTpInf/{P}LclInstrm/{P}Cd"),
            group.findtext(f"{P}PmtTpInf/{P}SeqTp"),
        )
        for debit, amount in zip(own, amounts, strict=True):
            read[debit.findtext(f"{P}PmtId/{P}EndToEndId")] = (*kind, amount)
    codes = {"first": "FRST", "recurrent": "RCUR", "one_off": "OOFF"}
    assert read == {
        debit.end_to_end_id: (debit.scheme.upper(), codes[debit.sequence], debit.amount)
        for debit in debits
    }
    header = root.find(f".//{P}GrpHdr")
    assert header.findtext(f"{P}NbOfTxs") == str(len(debits))
    assert Decimal(header.findtext(f"{P}CtrlSum")) == sum(debit.amount for debit in debits)


ACCOUNTS = [
    (Iban, "de02 1203 0000 0000 2020 51", "DE02120300000000202051"),
    (Iban, "DE02120300000000202052", None),  # a digit
    (Iban, "DE0212030000000020205", None),  # the length
    (Iban, "NL91ABNA0417164300", "NL91ABNA0417164300"),
    (Iban, "GB33BUKB20201555555555", "GB33BUKB20201555555555"),
    (Iban, "FR14 2004 1010 0505 0001 3M02 606", "FR1420041010050500013M02606"),
    (Iban, "MT84MALT011000012345MTLCAST001S", "MT84MALT011000012345MTLCAST001S"),
    (Iban, "XX82ABCD", None),
    (Iban, "BR1800360305000010009795493C1", None),  # a country without SEPA
    (Iban, "DE٠212030000000020205", None),  # digits of another script
    (Bic, "BYLADEM1001", "BYLADEM1001"),
    (Bic, "BYLADEM10", None),
    (CreditorId, "DE98ZZZ09999999999", "DE98ZZZ09999999999"),
    (CreditorId, "DE97ZZZ09999999999", None),
    (SepaId, "M-1/2", "M-1/2"),
    (SepaId, "/M", None),
    (SepaId, "M//1", None),
    (SepaId, "M ü", None),
    (SepaId, "M" * 36, None),
]


@pytest.mark.parametrize(("kind", "text", "taken"), ACCOUNTS)
def test_accounts_are_checked_by_their_own_digits(kind, text, taken):
    if taken is None:
        with pytest.raises(ValidationError):
            TypeAdapter(kind).validate_python(text)
    else:
        assert TypeAdapter(kind).validate_python(text) == taken


@given(st.integers(2, 21), st.sampled_from("0123456789"))
def test_a_wrong_digit_of_an_account_is_found(position, digit):
    right = "DE02120300000000202051"
    text = right[:position] + digit + right[position + 1 :]
    if text != right:
        with pytest.raises(ValidationError):
            TypeAdapter(Iban).validate_python(text)


def test_people_see_the_ends_of_an_account():
    assert masked("DE02120300000000202051") == "DE02…2051"


def camt(*entries):
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>'
        f"{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def bank_entry(kind, end_to_end_id, within="", *, amount="10.00", status="BOOK", rest=""):
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{kind}</CdtDbtInd>'
        f"<Sts><Cd>{status}</Cd></Sts><BookgDt><Dt>2025-05-06</Dt></BookgDt><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{end_to_end_id}</EndToEndId></Refs>{within}</TxDtls>{rest}"
        "</NtryDtls></Ntry>"
    )


DEBIT_ID = UUID("0123456789abcdef0123456789abcdef")
RETURN = "<RtrInf><Rsn><Cd>{}</Cd></Rsn></RtrInf>"
RETURNS = [
    # an entry, and the reasons of what came back by it
    (bank_entry("DBIT", DEBIT_ID.hex, RETURN.format("MD06")), ["MD06"]),
    (bank_entry("DBIT", DEBIT_ID.hex.upper(), RETURN.format("AC04"), amount="13.00"), ["AC04"]),
    (bank_entry("DBIT", DEBIT_ID.hex, "<RtrInf/>"), ["MS03"]),
    (bank_entry("DBIT", DEBIT_ID.hex, RETURN.format("a b")), ["MS03"]),
    (bank_entry("DBIT", DEBIT_ID.hex, RETURN.format("MD06"), status="PDNG"), []),
    (bank_entry("DBIT", DEBIT_ID.hex), []),
    (bank_entry("DBIT", "RENT-MAY", RETURN.format("MD06")), []),
]


@pytest.mark.parametrize(("entry", "reasons"), RETURNS)
def test_debits_that_came_back_are_read(entry, reasons):
    file = read_camt(camt(entry))
    assert [own.reason for own in file.returns] == reasons
    assert {own.debit_id for own in file.returns} <= {DEBIT_ID}
    assert (file.payments, file.passed_over) == ((), 0 if reasons else 1)


def test_a_payment_says_which_debit_brought_it():
    part = (
        "<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>"
        '<Amt Ccy="EUR">4.00</Amt></TxDtls>'
    )
    amount = '<Amt Ccy="EUR">6.00</Amt>'
    file = read_camt(
        camt(
            bank_entry("CRDT", DEBIT_ID.hex),
            bank_entry("CRDT", DEBIT_ID.hex, amount, rest=part),  # a batch that the bank booked
            bank_entry("CRDT", DEBIT_ID.hex, rest=part),  # which does not add up
        )
    )
    assert [(payment.amount, payment.debit_id) for payment in file.payments] == [
        (Decimal("10.00"), DEBIT_ID),
        (Decimal("6.00"), DEBIT_ID),
        (Decimal("4.00"), None),
        (Decimal("10.00"), None),
    ]


def test_too_many_debits_that_came_back_are_refused():
    entries = [bank_entry("DBIT", DEBIT_ID.hex, RETURN.format("MD06"))] * 5_001
    with pytest.raises(PaymentFileError, match="5000 debits that came back"):
        read_camt(camt(*entries))
