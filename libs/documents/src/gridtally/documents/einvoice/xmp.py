"""Factur-X in a PDF's own description (XMP): which of its attachments is the invoice.

A reader of Factur-X looks there for it. typst writes the description, uncompressed and without
these fields, so they are put in afterwards, and what follows in the file moves along. Works on
files as typst makes them: one table of objects at the end, and no objects within others.
"""

import re

ATTACHMENT = "factur-x.xml"
_NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_FIELDS = {
    "DocumentFileName": (ATTACHMENT, "name of the embedded XML invoice file"),
    "DocumentType": ("INVOICE", "INVOICE"),
    "Version": ("1.0", "The actual version of the Factur-X XML schema"),
    "ConformanceLevel": ("EN 16931", "The conformance level of the embedded Factur-X data"),
}
_STREAM = re.compile(
    rb"<</Length (\d+)/Type/Metadata/Subtype/XML>>\s*stream\r?\n(.*?)\r?\nendstream", re.DOTALL
)
_XREF = re.compile(rb"xref\n0 (\d+)\n((?:\d{10} \d{5} [nf][ \r]\n)+)")
_ENTRY = re.compile(rb"(\d{10}) (\d{5}) n")
_START = re.compile(rb"startxref\n(\d+)\n%%EOF\s*$")


def with_facturx(pdf: bytes) -> bytes:
    """The PDF whose description names the invoice among its attachments; ValueError for a file that
    is not as typst makes them."""
    stream = _STREAM.search(pdf)
    if stream is None:
        raise ValueError("the PDF has no description that can be read")
    described = _described(stream[2])
    replaced = (
        f"<</Length {len(described)}/Type/Metadata/Subtype/XML>>\nstream\n".encode()
        + described
        + b"\nendstream"
    )
    moved = len(replaced) - (stream.end() - stream.start())
    body = pdf[: stream.start()] + replaced + pdf[stream.end() :]
    return _renumbered(body, stream.start(), moved)


def _described(xmp: bytes) -> bytes:
    """The description with the extension's schema, and with its fields."""
    properties = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{meaning}</pdfaProperty:description></rdf:li>"
        for name, (_, meaning) in _FIELDS.items()
    )
    schema = (
        '<rdf:li rdf:parseType="Resource">'
        "<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>"
        f"<pdfaSchema:namespaceURI>{_NAMESPACE}</pdfaSchema:namespaceURI>"
        "<pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
    fields = "".join(f"<fx:{name}>{text}</fx:{name}>" for name, (text, _) in _FIELDS.items())
    shown = f'<rdf:Description rdf:about="" xmlns:fx="{_NAMESPACE}">{fields}</rdf:Description>'
    schemas, end = b"</rdf:Bag></pdfaExtension:schemas>", b"</rdf:RDF>"
    if xmp.count(schemas) != 1 or xmp.count(end) != 1:
        raise ValueError("the PDF's description is not as expected")
    return xmp.replace(schemas, schema.encode() + schemas).replace(end, shown.encode() + end)


def _renumbered(pdf: bytes, after: int, moved: int) -> bytes:
    """The file with a table of objects that are, behind `after`, moved by so much."""
    start = _START.search(pdf)
    table = start and _XREF.match(pdf, int(start[1]) + moved)
    if start is None or table is None:
        raise ValueError("the PDF has no table of objects that can be read")

    def shifted(entry: re.Match[bytes]) -> bytes:
        offset = int(entry[1])
        return b"%010d %s n" % (offset + moved if offset > after else offset, entry[2])

    entries = _ENTRY.sub(shifted, table[2])
    return (
        pdf[: table.start(2)]
        + entries
        + pdf[table.end(2) : start.start()]
        + b"startxref\n%d\n%%%%EOF" % (int(start[1]) + moved)
    )
