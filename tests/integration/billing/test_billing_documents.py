"""Documents over HTTP: made once, the same for ever, and told of the invoices around them."""

import base64
import io
import zipfile
from datetime import timedelta
from uuid import uuid4

import pypdf
import pytest

from document_facts import png
from gridtally.billing.store import documents as store
from gridtally.database import transaction
from problems import paths

TIME_OF_USE = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {"kind": "fixed", "id": "base", "rate": "12.50", "per": "month"},
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [{"name": "peak", "rate": "0.40"}, {"name": "night", "rate": "0.20"}],
            "windows": [{"band": "peak", "from_time": "07:00", "to_time": "22:00"}],
            "default_band": "night",
        },
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["base", "energy"]},
    ],
}
SELLER = {
    "name": "Stadtwerke <Musterstadt>",
    "address": {"street": "Weg 12", "postcode": "20095", "city": "Hamburg", "country": "DE"},
    "language": "de-DE",
    "logo": base64.b64encode(png()).decode(),
    "texts": {"de": {"payment_terms": "Bitte in 14 Tagen."}},
    "component_names": {"base": {"de": "Grundpreis"}},
}


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant)


def text_of(pdf):
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


async def test_a_document_is_made_once_and_tells_of_those_around_it(api, clients, world, make):
    """February has 28 days of 9.6 kWh, 6 of them in the peak's 15 hours: 168 kWh at 0.40 = 67.20
    and 100.8 at 0.20 = 20.16; with 12.50 and 19 % (18.97) that is 118.83. March has 743 hours of
    0.4 kWh, 465 in the peak: 186 kWh = 74.40 and 111.2 = 22.24, in all 109.14, and 20.74 of tax
    make 129.88."""
    home = await world.home(document=TIME_OF_USE)
    await world.close(make.closed(home, period=make.FEBRUARY))
    await world.owe(make.balance_changed(home.customer_id, "18.83", invoiced="118.83"))
    await world.close(make.closed(home), now=make.NOW + timedelta(hours=1))
    march, _ = (await api.get("/v1/invoices")).json()["items"]
    path = f"/v1/invoices/{march['id']}/document"

    nobody = await api.get(path)
    assert (nobody.status_code, nobody.json()["code"]) == (422, "seller_missing")
    assert (await api.put("/v1/seller", json=SELLER)).status_code == 200
    page = await api.get(path, params={"format": "html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    shown = " ".join(page.text.split())
    for words in (
        "Stadtwerke &lt;Musterstadt&gt;",
        "148,71 €",  # 129.88 and 18.83
        "Grundpreis",
        "Bitte in 14 Tagen.",
        "186 kWh",
        "Home, Fassung 1",
        "-100,00",  # paid of 118.83
        "Mehr Energie: 28,4 kWh",
        "62,6 %",  # of the peak
    ):
        assert words in shown, words
    pdf = await api.get(path)
    assert pdf.headers["content-type"] == "application/pdf"
    assert "inline; filename=" in pdf.headers["content-disposition"]
    assert "Rechnung INV-2025-000002" in text_of(pdf.content)

    lacking = await api.get(path, params={"format": "ubl"})
    assert (lacking.json()["code"], paths(lacking.json())) == ("einvoice_incomplete", ["/tax_id"])

    # A new letterhead, a new balance and a correction change nothing of what was shown.
    await api.put("/v1/seller", json=SELLER | {"name": "Other"})
    await world.close(make.closed(home, revision=2, wh=90), now=make.NOW + timedelta(hours=2))
    assert (await api.get(path)).content == pdf.content
    assert (await api.get(path, params={"format": "html"})).text == page.text
    newest = (await api.get("/v1/invoices")).json()["items"][0]
    corrected = await api.get(f"/v1/invoices/{newest['id']}/document")
    assert "ersetzt die Rechnung INV-2025-000002" in text_of(corrected.content)
    (note,) = (await api.get("/v1/credit-notes")).json()["items"]
    credited = await api.get(f"/v1/credit-notes/{note['id']}/document", params={"format": "html"})
    assert "hebt die Rechnung INV-2025-000002 vollständig auf" in credited.text

    another = await clients("another")
    for unknown in (path, f"/v1/credit-notes/{note['id']}/document"):
        assert (await another.get(unknown)).status_code == 404
    assert (await api.get(path, params={"format": "docx"})).status_code == 422
    async with transaction(world.database, tenant=world.tenant) as tx:
        await store.delete_documents_of(tx, world.tenant, home.customer_id)
    again = await api.get(path)
    assert again.content == pdf.content  # with the letterhead of then


async def test_many_documents_come_as_one_archive(api, world, make):
    homes = [await world.home() for _ in range(3)]
    await world.close(*map(make.closed, homes))
    await api.put("/v1/seller", json={"name": "Seller"})
    answer = await api.get("/v1/invoice-documents", params={"format": "html"})
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    assert sorted(archive.namelist()) == [f"INV-2025-00000{n}.html" for n in (1, 2, 3)]
    mine = {"customer_id": str(homes[0].customer_id)}
    one = zipfile.ZipFile(io.BytesIO((await api.get("/v1/invoice-documents", params=mine)).content))
    (name,) = one.namelist()
    (invoice,) = (await api.get("/v1/invoices", params=mine)).json()["items"]
    shown = await api.get(f"/v1/invoices/{invoice['id']}/document")
    assert one.read(name) == shown.content
    none = await api.get("/v1/invoice-documents", params={"customer_id": str(uuid4())})
    assert zipfile.ZipFile(io.BytesIO(none.content)).namelist() == []


async def test_e_invoices_are_by_the_tariffs_own_taxes(api, world, make):
    """German bills have a duty on energy, which VAT is levied on: 743 hours of 0.4 kWh are 297.2
    kWh at 0.30 = 89.16, 12.50 and a duty of 10 % on the energy, 8.92: 110.58, and VAT of 21.01."""
    duty = {"kind": "tax", "id": "duty", "rate": "0.10", "component_ids": ["energy"]}
    vat = make.FLAT["components"][2] | {"component_ids": ["base", "energy", "duty"]}
    tariff = make.FLAT | {"components": [*make.FLAT["components"][:2], duty, vat]}
    await world.close(make.closed(await world.home(document=tariff)))
    (invoice,) = (await api.get("/v1/invoices")).json()["items"]
    await api.put("/v1/seller", json=SELLER | {"tax_id": "DE123456789"})
    path = f"/v1/invoices/{invoice['id']}/document"
    in_cii = await api.get(path, params={"format": "cii"})
    assert in_cii.headers["content-type"] == "application/xml"
    assert "<ram:LineTotalAmount>110.58</ram:LineTotalAmount>" in in_cii.text
    assert "<ram:CalculatedAmount>21.01</ram:CalculatedAmount>" in in_cii.text
    assert in_cii.text.count("<ram:RateApplicablePercent>19<") == 4
    in_ubl = await api.get(path, params={"format": "ubl"})
    assert f'<cbc:PayableAmount currencyID="EUR">{invoice["total"]}<' in in_ubl.text
    reader = pypdf.PdfReader(io.BytesIO((await api.get(path)).content))
    assert reader.attachments["factur-x.xml"] == [in_cii.content]


async def test_a_seller_that_is_too_large_to_be_published_is_refused(api):
    regions = {"en": "AU CA GB IE IN NZ US ZA", "de": "AT CH DE", "fr": "BE CH FR", "sv": "FI SE"}
    languages = [f"{code}-{country}" for code in regions for country in regions[code].split()]
    names = {f"c{n}": dict.fromkeys(languages, "x" * 500) for n in range(500)}
    asked = {"name": "Seller", "component_names": names}
    refused = await api.put("/v1/seller", json=asked)
    assert (refused.status_code, refused.json()["code"]) == (422, "seller_too_large")
    for component in [*names][400:]:
        del names[component]
    assert (await api.put("/v1/seller", json=asked)).status_code == 200


async def test_the_seller_is_set_and_checked(api, clients):
    assert (await api.get("/v1/seller")).json()["code"] == "seller_missing"
    made = await api.put("/v1/seller", json=SELLER)
    assert (made.status_code, made.headers["etag"]) == (200, '"1"')
    assert SELLER["logo"] == made.json()["logo"]
    assert (await api.get("/v1/seller")).json() == made.json()
    assert (await api.put("/v1/seller", json=SELLER)).headers["etag"] == '"1"'
    changed = await api.put("/v1/seller", json=SELLER | {"phone": "1"}, headers={"If-Match": '"1"'})
    assert changed.headers["etag"] == '"2"'
    late = await api.put("/v1/seller", json=SELLER, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    assert (await (await clients("another")).get("/v1/seller")).status_code == 404


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": ""}, "/name"),
        ({"language": "xx"}, "/language"),
        ({"accent": "red"}, "/accent"),
        ({"logo": "!"}, "/logo"),
        ({"logo": base64.b64encode(b"<svg/>").decode()}, "/logo"),
        ({"logo": base64.b64encode(png()[:60]).decode()}, "/logo"),
        ({"logo": base64.b64encode(png(width=2001, height=1)).decode()}, "/logo"),
        ({"texts": {"xx": {}}}, "/texts/xx/[key]"),
        ({"iban": "DE02 1203"}, "/iban"),
    ],
)
async def test_a_seller_must_be_well_formed(api, change, path):
    answer = await api.put("/v1/seller", json={"name": "Seller"} | change)
    assert answer.status_code == 422
    assert paths(answer.json()) == [path]
