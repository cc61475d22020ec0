"""What a file is, by how it begins: what people send where a table or JSON is asked for."""

import gzip
import io
import tarfile
import zipfile

import pytest
from openpyxl import Workbook

from gridtally.files.formats import decode, recognize


def archive(name, content=b"a,b\n1,2\n"):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return made.getvalue()


def workbook():
    made = io.BytesIO()
    book = Workbook()
    book.active.append(["start_local", "minutes", "import_kwh"])
    book.save(made)
    return made.getvalue()


def tar():
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as file:
        file.addfile(tarfile.TarInfo("u.csv"), io.BytesIO(b""))
    return made.getvalue()


NEM12 = b"100,NEM12,202501010000,MDP,RETAILER\n200,0000000001,E1,1,E1,N1,00001,kWh,30,\n"
TABLE = b"start_local,minutes,import_kwh\n2025-03-01T00:00,60,1\n"
GREEN_BUTTON = (
    b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">'
    b'<entry><content><IntervalBlock xmlns="http://naesb.org/espi"/></content></entry></feed>'
)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (workbook(), "an Excel workbook (.xlsx)"),  # grimmlink/tempo-comparatif#17
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "an old Excel workbook (.xls)"),
        (archive("u.csv"), "a ZIP archive"),  # aguinane/nem-reader's examples
        (b"PK\x03\x04abc", "a ZIP archive"),
        (archive("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"), "a ZIP archive"),
        (gzip.compress(TABLE, mtime=0), "a gzip file"),
        (tar(), "a tar archive"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (TABLE.decode().encode("utf-16"), "text in UTF-16"),  # Excel's "Unicode text"
        (TABLE.decode().encode("utf-16-le"), "text in UTF-16"),
        (TABLE.decode().encode("utf-32"), "text in UTF-16 or UTF-32"),
        (b"\n<!DOCTYPE html><html><title>Log in</title>", "a web page (HTML)"),
        (GREEN_BUTTON, "a Green Button file (ESPI XML)"),  # SEED-platform/seed#1912
        (b"<feed xmlns='http://www.w3.org/2005/Atom'/>", "an XML document"),
        (NEM12, "a NEM12 or NEM13 file"),  # aguinane/nem-reader's examples
        (NEM12.split(b"\n", 1)[1], "a NEM12 or NEM13 file"),
        (b"UNA:+.? 'UNB+UNOC:3+1234", "an EDIFACT message"),
        (b"{\\rtf1\\ansi", "an RTF document"),
    ],
)
@pytest.mark.parametrize("wanted", ["csv", "json"])
def test_a_file_of_another_kind_is_named_with_what_to_do(content, name, wanted):
    known = recognize(content, wanted)
    assert known is not None
    assert known.name.startswith(name)
    assert known.advice
    with pytest.raises(ValueError, match=r"^is "):
        decode(content, wanted)


AS_INTERVALS = (
    "convert it to CSV with a row for each interval (gridtally import takes it into an "
    "installation as it is)"
)


@pytest.mark.parametrize(
    ("content", "as_csv", "as_json"),
    [
        (workbook(), "is an Excel workbook (.xlsx): save or export its table as CSV in UTF-8",
         "is an Excel workbook (.xlsx): JSON is needed here"),
        (GREEN_BUTTON, f"is a Green Button file (ESPI XML): {AS_INTERVALS}",
         "is a Green Button file (ESPI XML): JSON is needed here"),
        (TABLE.decode().encode("utf-16"),
         'is text in UTF-16 or UTF-32: save it as "CSV UTF-8", or as text in UTF-8',
         "is text in UTF-16 or UTF-32: save it as text in UTF-8"),
    ],
)  # fmt: skip
def test_what_is_advised_makes_what_is_wanted(content, as_csv, as_json):
    """A workbook where JSON is needed is not to be exported as CSV, only to be refused again."""
    for wanted, sentence in (("csv", as_csv), ("json", as_json)):
        with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole sentence is compared
            decode(content, wanted)
        assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("content", "as_csv", "as_json"),
    [
        (TABLE, None, "a table (CSV)"),
        (b"\xef\xbb\xbf" + TABLE, None, "a table (CSV)"),
        (b'{"currency": "EUR"}', "JSON", None),
        (b'\xef\xbb\xbf\n[{"a": 1}, 2]', "JSON", None),
        (b'"start_local","minutes"\n', None, None),
        (b"7", None, None),
        (b"", None, None),
        ("für,£\n".encode(), None, "a table (CSV)"),
    ],
)
def test_what_may_be_what_is_wanted_is_not_named(content, as_csv, as_json):
    for wanted, name in (("csv", as_csv), ("json", as_json)):
        known = recognize(content, wanted)
        assert (known and known.name) == name


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\nZähler,1\n".encode("cp1252"), r"row 2: is not in UTF-8 \(the byte E4\), perhaps in"),
        (b"a,b\n1,\x002\n", "row 2: holds the control character NUL"),
        (b"a,b\n1,2\n\x1a", r"row 3: holds the control character U\+001A"),  # DOS's end of file
        ("a,b\n1,2\x85".encode(), r"row 2: holds the control character U\+0085"),
    ],
)
def test_text_that_is_none_is_refused_with_its_row(content, message):
    with pytest.raises(ValueError, match=message):
        decode(content, "csv")


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"\xef\xbb\xbfa\tb\r\n", "a\tb\r\n"), ("Zähler £ €\n".encode(), "Zähler £ €\n")],
)
def test_text_is_read_without_its_byte_order_mark(content, text):
    assert decode(content, "csv") == text
