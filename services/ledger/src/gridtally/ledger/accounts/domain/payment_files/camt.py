"""Bank statements as ISO 20022 writes them: camt.053, of every version since 001.02.

Source: the message definition report of camt.053 (facts and names of elements only). Owns which
entries are payments, and where their references stand. Reads what is needed and passes over what
else a bank adds. Refuses document types, so that no entity is expanded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from xml.parsers import expat

from gridtally.ledger.accounts.domain.payment_files.bank_payments import (
    BankPayment,
    BankReturn,
    PaymentFile,
    PaymentFileError,
    debit_id,
    payment_file,
)

DEPTH_MAX = 40
ELEMENTS_MAX = 1_000_000
NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.[0-9]{2}")
CREDIT, DEBIT, BOOKED = "CRDT", "DBIT", "BOOK"
UNSPECIFIED = "MS03"
"""Why a debit came back, where the bank does not say."""
_REASON = re.compile(r"[A-Z0-9]{1,35}")
_AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{1,8})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(slots=True)
class _Node:
    """An element: its name, its text, its currency where it is an amount, and what is within."""

    name: str
    currency: str = ""
    text: str = ""
    children: list["_Node"] = field(default_factory=list)

    def all(self, path: str) -> Iterator["_Node"]:
        """The elements at a path of names."""
        name, _, rest = path.partition("/")
        for child in self.children:
            if child.name == name:
                yield from child.all(rest) if rest else (child,)

    def first(self, *paths: str) -> "_Node | None":
        """The first element at the first of the paths that leads to one."""
        return next((node for path in paths for node in self.all(path)), None)

    def value(self, *paths: str) -> str:
        """The text of the first element, empty where there is none."""
        node = self.first(*paths)
        return node.text.strip() if node else ""


def read_camt(content: bytes) -> PaymentFile:
    """The payments that a statement shows; PaymentFileError where it is none, or contradicts
    itself."""
    document = _parsed(content)
    payments: list[BankPayment] = []
    returns: list[BankReturn] = []
    passed_over = entries = 0
    for statement in document.all("BkToCstmrStmt/Stmt"):
        account = statement.value("Acct/Id/IBAN", "Acct/Id/Othr/Id")
        for entry in statement.all("Ntry"):
            entries += 1
            if _is_payment(entry):
                payments += _payments(entry, account, entries)
            elif came_back := _returns(entry, entries):
                returns += came_back
            else:
                passed_over += 1
    return payment_file(payments, passed_over, returns)


def _is_final(entry: _Node) -> bool:
    return entry.value("Sts/Cd", "Sts") == BOOKED


def _returns(entry: _Node, number: int) -> list[BankReturn]:
    """The direct debits of ours that an entry takes back. Its amount may have the banks' charges in
    it; a debit comes back whole."""
    if not _is_final(entry) or entry.value("CdtDbtInd") != DEBIT:
        return []
    returns = []
    for detail in entry.all("NtryDtls/TxDtls"):
        debit = debit_id(detail.value("Refs/EndToEndId"))
        if debit is not None and detail.first("RtrInf"):
            reason = detail.value("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")
            known = reason if _REASON.fullmatch(reason) else UNSPECIFIED
            returns.append(BankReturn(number, _booked_on(entry, number), debit, known))
    return returns


def _booked_on(entry: _Node, number: int) -> date:
    return _day(entry.value("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"), number)


def _is_payment(entry: _Node) -> bool:
    is_final = _is_final(entry)
    taken_back = entry.value("RvslInd") in ("true", "1")
    return is_final and not taken_back and entry.value("CdtDbtInd") == CREDIT


# A batch booking is one entry with a detail for each payment. Details that do not add up to the
# entry (charges were taken off, or amounts are missing) are one payment of what was booked.
def _payments(entry: _Node, account: str, number: int) -> list[BankPayment]:
    booked, currency = _amount(entry.first("Amt"), number)
    day = _booked_on(entry, number)
    own_reference = entry.value("AcctSvcrRef")
    details = list(entry.all("NtryDtls/TxDtls"))
    amounts = [detail.first("Amt", "AmtDtls/TxAmt/Amt") for detail in details]
    if len(details) > 1 and all(amounts):
        parts = [_amount(amount, number) for amount in amounts]
        adds_up = {part[1] for part in parts} == {currency} and booked == sum(
            part[0] for part in parts
        )
        if adds_up:
            return [
                BankPayment(
                    number, account, detail.value("Refs/AcctSvcrRef"), day, amount, currency,
                    _payer(detail), _text([detail]),
                    end_to_end_id=detail.value("Refs/EndToEndId"),
                )
                for detail, (amount, _) in zip(details, parts, strict=True)
            ]  # fmt: skip
    reference = own_reference or (details[0].value("Refs/AcctSvcrRef") if details else "")
    payer = _payer(details[0]) if len(details) == 1 else ""
    text = _text(details) or entry.value("AddtlNtryInf")
    end_to_end_id = details[0].value("Refs/EndToEndId") if len(details) == 1 else ""
    return [
        BankPayment(
            number, account, reference, day, booked, currency, payer, text,
            end_to_end_id=end_to_end_id,
        )
    ]  # fmt: skip


def _payer(detail: _Node) -> str:
    return detail.value("RltdPties/Dbtr/Nm", "RltdPties/Dbtr/Pty/Nm")


def _text(details: list[_Node]) -> str:
    """What payers wrote: structured references, remarks, and the reference from end to end."""
    texts = [
        node.text.strip()
        for detail in details
        for path in ("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/RfrdDocInf/Nb", "RmtInf/Ustrd",
                     "Refs/EndToEndId")
        for node in detail.all(path)
    ]  # fmt: skip
    return " ".join(text for text in texts if text and text != "NOTPROVIDED")


def _amount(node: _Node | None, entry: int) -> tuple[Decimal, str]:
    if node is None or not _AMOUNT.fullmatch(node.text.strip()):
        raise PaymentFileError(f"entry {entry}: has no amount (Amt)")
    if not _CURRENCY.fullmatch(node.currency):
        raise PaymentFileError(f"entry {entry}: the amount has no currency (Ccy)")
    return Decimal(node.text.strip()), node.currency


def _day(text: str, entry: int) -> date:
    """The day of a date, or of an instant as the bank's clock shows it."""
    try:
        if _DAY.match(text):
            return date.fromisoformat(text[:10])
    except ValueError:
        pass  # the 30th of February
    raise PaymentFileError(f"entry {entry}: has no day of booking (BookgDt)")


def _parsed(content: bytes) -> _Node:
    """The document's tree; PaymentFileError where it is no statement, or no XML that is read."""
    root = _Node("")
    path = [root]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        namespace, _, local = name.rpartition(" ")
        if len(path) == 1 and not (local == "Document" and NAMESPACE.fullmatch(namespace)):
            raise PaymentFileError("is no bank statement of the kind camt.053")
        if len(path) > DEPTH_MAX or count > ELEMENTS_MAX:
            raise PaymentFileError(
                f"has more than {ELEMENTS_MAX} elements, or more than {DEPTH_MAX} within another"
            )
        node = _Node(local, attributes.get("Ccy", ""))
        path[-1].children.append(node)
        path.append(node)

    def end(_: str) -> None:
        path.pop()

    def text(data: str) -> None:
        path[-1].text += data

    def refuse(*_: object) -> None:
        raise PaymentFileError("has a document type, which is not read")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = text, refuse
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat's own signature: this is all
    except expat.ExpatError as error:
        raise PaymentFileError(f"line {error.lineno}: is no XML: {error}") from None
    return root.children[0]
