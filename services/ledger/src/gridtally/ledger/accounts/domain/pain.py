"""Direct debits as a bank takes them: pain.008.001.08 of ISO 20022.

Source: the message definition report of pain.008 and the implementation guidelines of the European
Payments Council (facts and names of elements only). The file has nothing in it but what is stored,
so that the same batch makes the same bytes.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC
from decimal import Decimal
from itertools import groupby
from xml.sax.saxutils import escape

from gridtally.ledger.accounts.domain.direct_debits import CURRENCY, Batch, Debit
from gridtally.ledger.accounts.domain.transactions import sum_of

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"
NAME_CHARS_MAX = 70
TEXT_CHARS_MAX = 140
_SEQUENCES = {"first": "FRST", "recurrent": "RCUR", "one_off": "OOFF"}
_LETTERS = str.maketrans(
    {
        "ß": "ss", "Æ": "Ae", "æ": "ae", "Œ": "Oe", "œ": "oe", "Ø": "O", "ø": "o", "Ł": "L",
        "ł": "l", "Đ": "D", "đ": "d", "&": "+", "_": "-",
    }
)  # fmt: skip
_OTHER = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")


def pain_file(batch: Batch, debits: Sequence[Debit]) -> Iterator[bytes]:
    """The file in pieces, one for each debit; what has one scheme and sequence stands together.

    ValueError where a debit no longer says whose account it is.
    """
    ordered = sorted(debits, key=lambda debit: (*_group(debit), debit.number, debit.id))
    created = batch.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = _element("Nm", _text(batch.creditor_name, NAME_CHARS_MAX))
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="{NAMESPACE}"><CstmrDrctDbtInitn><GrpHdr>'
        f"{_element('MsgId', batch.id.hex)}{_element('CreDtTm', created)}"
        f"{_sums(ordered)}<InitgPty>{name}</InitgPty></GrpHdr>\n"
    ).encode()
    for (scheme, sequence), own in groupby(ordered, key=_group):
        grouped = list(own)
        yield _head(batch, scheme.upper(), _SEQUENCES[sequence], grouped).encode()
        for debit in grouped:
            yield _debit(debit).encode()
        yield b"</PmtInf>\n"
    yield b"</CstmrDrctDbtInitn></Document>\n"


def _group(debit: Debit) -> tuple[str, str]:
    return debit.scheme, debit.sequence


def _head(batch: Batch, scheme: str, sequence: str, debits: Sequence[Debit]) -> str:
    """What is said once of debits that are collected together. Each is booked by itself, so that
    the bank's statement names every one of them."""
    return (
        f"<PmtInf>{_element('PmtInfId', f'{batch.id.hex[:25]}-{scheme}-{sequence}')}"
        f"<PmtMtd>DD</PmtMtd><BtchBookg>false</BtchBookg>{_sums(debits)}"
        f"<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl><LclInstrm><Cd>{scheme}</Cd></LclInstrm>"
        f"<SeqTp>{sequence}</SeqTp></PmtTpInf>"
        f"{_element('ReqdColltnDt', batch.collection_on.isoformat())}"
        f"<Cdtr>{_element('Nm', _text(batch.creditor_name, NAME_CHARS_MAX))}</Cdtr>"
        f"<CdtrAcct>{_account(batch.creditor_iban)}</CdtrAcct>"
        f"<CdtrAgt>{_bank(batch.creditor_bic)}</CdtrAgt><ChrgBr>SLEV</ChrgBr>"
        f"<CdtrSchmeId><Id><PrvtId><Othr>{_element('Id', batch.creditor_id)}"
        "<SchmeNm><Prtry>SEPA</Prtry></SchmeNm></Othr></PrvtId></Id></CdtrSchmeId>\n"
    )


def _debit(debit: Debit) -> str:
    if debit.iban is None or debit.holder is None:
        raise ValueError(f"debit {debit.id} says no longer whose account it is")
    return (
        f"<DrctDbtTxInf><PmtId>{_element('EndToEndId', debit.end_to_end_id)}</PmtId>"
        f'<InstdAmt Ccy="{CURRENCY}">{debit.amount:.2f}</InstdAmt>'
        f"<DrctDbtTx><MndtRltdInf>{_element('MndtId', debit.mandate_id)}"
        f"{_element('DtOfSgntr', debit.signed_on.isoformat())}</MndtRltdInf></DrctDbtTx>"
        f"<DbtrAgt>{_bank(debit.bic)}</DbtrAgt>"
        f"<Dbtr>{_element('Nm', _text(debit.holder, NAME_CHARS_MAX))}</Dbtr>"
        f"<DbtrAcct>{_account(debit.iban)}</DbtrAcct>"
        f"<RmtInf>{_element('Ustrd', _text(debit.number, TEXT_CHARS_MAX))}</RmtInf>"
        "</DrctDbtTxInf>\n"
    )


def _sums(debits: Sequence[Debit]) -> str:
    total: Decimal = sum_of(debit.amount for debit in debits)
    return f"{_element('NbOfTxs', str(len(debits)))}{_element('CtrlSum', f'{total:.2f}')}"


def _account(iban: str) -> str:
    return f"<Id>{_element('IBAN', iban)}</Id>"


def _bank(bic: str | None) -> str:
    known = _element("BICFI", bic) if bic else "<Othr><Id>NOTPROVIDED</Id></Othr>"
    return f"<FinInstnId>{known}</FinInstnId>"


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _text(text: str, chars_max: int) -> str:
    """A text in the letters that every bank of SEPA takes: accents fall away, and a full stop
    stands for what has no such letter."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text.translate(_LETTERS))
        if not unicodedata.combining(letter)
    )
    return _OTHER.sub(".", plain)[:chars_max].strip() or "."
