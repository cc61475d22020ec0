"""What a file is, by how it begins.

Owns the formats that are sent where a table or JSON is expected, and what to do with each. Refuses
to guess an encoding: a file's text is UTF-8.
"""

import re
from dataclasses import dataclass
from typing import Literal

Wanted = Literal["csv", "json"]
HEAD_BYTES = 4_096
"""So much of a file shows what it is."""
_AS_CSV = "save or export its table as CSV in UTF-8"
_AS_UTF8 = 'save it as "CSV UTF-8", or as text in UTF-8'
_AS_INTERVALS = (
    "convert it to CSV with a row for each interval (gridtally import takes it into an "
    "installation as it is)"
)
_UNPACK = "unpack it, and give the file that is in it"
_UNZIP = f"unpack it and give the file in it, or, if it is a workbook, {_AS_CSV}"
_NEEDS_JSON = "JSON is needed here"
_FOR_JSON = {
    _AS_CSV: _NEEDS_JSON,
    _AS_INTERVALS: _NEEDS_JSON,
    _AS_UTF8: "save it as text in UTF-8",
    _UNZIP: "unpack it and give the file in it",
}
"""What is advised in place of what would make a table of it."""
_NUL_SHARE_MIN = 0.3
"""Of the bytes of UTF-16 text in Latin letters one half are NUL."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters besides the tab and the ends of lines."""


@dataclass(frozen=True, slots=True)
class Format:
    """What a file seems to be, to be read as "it is …", and what to do about it."""

    name: str
    advice: str

    def __str__(self) -> str:
        return f"{self.name}: {self.advice}"


_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format("an old Excel workbook (.xls)", _AS_CSV)),
    (b"\x1f\x8b", Format("a gzip file", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", Format("a Zstandard file", _UNPACK)),
    (b"BZh", Format("a bzip2 file", _UNPACK)),
    (b"\xfd7zXZ\x00", Format("an xz file", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Format("a 7-Zip archive", _UNPACK)),
    (b"Rar!\x1a\x07", Format("a RAR archive", _UNPACK)),
    (b"%PDF-", Format("a PDF document", "get the same figures as CSV; they are not read from PDF")),
    (b"{\\rtf", Format("an RTF document", _AS_UTF8)),
    (b"PAR1", Format("a Parquet file", _AS_CSV)),
    (b"SQLite format 3\x00", Format("a SQLite database", _AS_CSV)),
    (b"\x89PNG", Format("a picture (PNG)", "give the figures as CSV")),
    (b"\xff\xd8\xff", Format("a picture (JPEG)", "give the figures as CSV")),
)
_ZIP = b"PK\x03\x04"
_TAR_AT, _TAR = 257, b"ustar"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_WIDE = Format("text in UTF-16 or UTF-32", _AS_UTF8)
_HTML = Format(
    "a web page (HTML), perhaps one that asks to log in", "download the file itself, not the page"
)
_GREEN_BUTTON = Format("a Green Button file (ESPI XML)", _AS_INTERVALS)
_XML = Format("an XML document", _AS_CSV)
_NEM12 = Format("a NEM12 or NEM13 file (Australian meter data)", _AS_INTERVALS)
_EDIFACT = Format(
    "an EDIFACT message, such as MSCONS", "convert it to CSV with a row for each interval"
)
_JSON = Format("JSON", "a table in CSV is needed here")
_CSV = Format("a table (CSV)", _NEEDS_JSON)
_NEM = re.compile(r"100,NEM1[23]\b|200,[^,\n]*,[^,\n]*,[^,\n]*,|300,[0-9]{8},", re.IGNORECASE)


def recognize(content: bytes, wanted: Wanted) -> Format | None:
    """The format that a file shows by its first bytes; None where it may be what is `wanted`.

    `content` is the file, or at least its first `HEAD_BYTES`.
    """
    known = _recognized(content, wanted)
    if known is None or wanted == "csv":
        return known
    return Format(known.name, _FOR_JSON.get(known.advice, known.advice))


def _recognized(content: bytes, wanted: Wanted) -> Format | None:
    head = content[:HEAD_BYTES]
    if head.startswith(_ZIP):
        return _zip(content)
    for signature, known in _SIGNATURES:
        if head.startswith(signature):
            return known
    if head[_TAR_AT:].startswith(_TAR):
        return Format("a tar archive", _UNPACK)
    if head.startswith(_WIDE_MARKS) or head.count(0) > len(head) * _NUL_SHARE_MIN:
        return _WIDE
    return _of_text(head.decode("utf-8-sig", errors="replace").lstrip(), wanted)


def _zip(content: bytes) -> Format:
    """Workbooks are ZIP archives, and the names of their parts are not compressed."""
    if b"xl/work" in content:
        return Format("an Excel workbook (.xlsx)", _AS_CSV)
    if b"opendocument.spreadsheet" in content[:HEAD_BYTES]:
        return Format("an OpenDocument spreadsheet (.ods)", _AS_CSV)
    return Format("a ZIP archive, as Excel workbooks (.xlsx) are too", _UNZIP)


def _of_text(text: str, wanted: Wanted) -> Format | None:
    as_json = text.startswith(("{", "["))
    if as_json and wanted == "json":
        return None  # at once, since this is asked of every body
    lowered = text.lower()
    if lowered.startswith(("<!doctype html", "<html")):
        return _HTML
    if text.startswith("<"):
        return _GREEN_BUTTON if "espi" in lowered else _XML
    if _NEM.match(text):
        return _NEM12
    if text.startswith(("UNA:", "UNB+")):
        return _EDIFACT
    if wanted == "csv":
        return _JSON if as_json else None
    first_line = text.partition("\n")[0]
    is_table = any(mark in first_line for mark in (",", ";", "\t"))
    return _CSV if is_table and not text.startswith('"') else None


def decode(content: bytes, wanted: Wanted) -> str:
    """A file's text, without a byte order mark; ValueError that says what the file is where it is
    another format, another encoding, or holds characters that no text has."""
    if (known := recognize(content, wanted)) is not None:
        raise ValueError(f"is {known}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"row {row}: is not in UTF-8 (the byte {content[error.start]:02X}), perhaps in "
            f"Windows-1252 or Latin-1: {_AS_UTF8}"
        ) from None
    if (stray := _UNPRINTABLE.search(text)) is not None:
        row = text.count("\n", 0, stray.start()) + 1
        name = "NUL" if stray[0] == "\0" else f"U+{ord(stray[0]):04X}"
        raise ValueError(f"row {row}: holds the control character {name}, which no text has")
    return text
