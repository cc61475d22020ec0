"""What the tests of direct debits share: customers with a mandate, batches, and a bank's answer."""

from datetime import timedelta

from gridtally.http.context import utc_now
from integration.ledger.accounts import issue, known, post

IBAN = "DE02120300000000202051"
CREDITOR = {"creditor_id": "DE98ZZZ09999999999", "name": "Stadtwerke", "iban": IBAN}
TODAY = utc_now().date()
COLLECTED = {"due_through": f"{TODAY}", "collection_on": f"{TODAY + timedelta(days=3)}"}


async def put(client, path, status=200, **body):
    answer = await client.put(f"/v1/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def sign(client, who, status=200, **changes):
    body = {"mandate_id": f"M-{who}"[:35], "signed_on": f"{TODAY}", "iban": IBAN, "holder": "Ada"}
    return await put(client, f"customers/{who}/mandate", status, **body | changes)


async def collect_for(client):
    return await put(client, "direct-debit-settings", **CREDITOR)


async def debtor(ledger, client, *amounts, tenant="acme", **mandate):
    """A customer with invoices that are due, and a mandate."""
    who, bills = await issue(ledger, *amounts, tenant=tenant)
    await known(ledger, who, tenant=tenant)
    await sign(client, who, **mandate)
    return who, bills


async def collect(client, status=201, headers=None, **changes):
    return await post(client, "direct-debits", status, headers, **COLLECTED | changes)


async def batch_of(client, batch, path="", status=200):
    answer = await client.get(f"/v1/direct-debits/{batch['id']}{path}")
    assert answer.status_code == status, answer.text
    return answer


async def states_of(client, batch):
    shown = (await batch_of(client, batch)).json()
    return [(own["number"], own["state"], own["return_reason"]) for own in shown["debits"]]


def came_in(debit, amount=None, on=TODAY):
    return _entry("CRDT", debit, amount or debit["amount"], on)


def came_back(debit, reason="MD06", amount=None, on=TODAY):
    within = f"<RtrInf><Rsn><Cd>{reason}</Cd></Rsn></RtrInf>"
    return _entry("DBIT", debit, amount or debit["amount"], on, within)


def _entry(kind, debit, amount, on, within=""):
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{kind}</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{on}</Dt></BookgDt><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{debit['end_to_end_id']}</EndToEndId></Refs>{within}"
        "</TxDtls></NtryDtls></Ntry>"
    )


async def read_bank(client, *entries, **query):
    """What became of a statement of the bank."""
    file = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>'
        f"{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    )
    kind = {"Content-Type": "application/octet-stream"}
    answer = await client.post("/v1/payment-files", content=file, headers=kind, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()
