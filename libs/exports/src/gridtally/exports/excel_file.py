"""Excel's format (ECMA-376, SpreadsheetML), written front to back.

Owns what Excel cannot hold: rows beyond a sheet's end continue in the next sheet, long numbers are
texts. The parts that name the sheets come last, since a ZIP's directory does.
"""

from collections.abc import Iterator, Sequence
from io import RawIOBase
from string import ascii_uppercase
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

import pyarrow as pa
from pyarrow import compute as pc

from gridtally.exports.arrow import concatenated, encoded, texts_of
from gridtally.exports.columns import Column

SHEET_ROWS_MAX = 1_000_000
"""A sheet of Excel has 1 048 576 rows."""
SHEET_BYTES_MAX = 1_500_000_000
"""Before compression; a part of a plain ZIP ends at 2 GiB. One batch may come on top."""
CELL_CHARS_MAX = 32_767
NUMBER_DIGITS_MAX = 15
"""Excel counts in binary floating point: a longer number is written as text, so it stays exact."""
COLUMNS_MAX = len(ascii_uppercase)
COMPRESSION = 1
"""The quickest: a sheet is mostly repetition."""

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET_BEGIN = f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'
_SHEET_END = "</sheetData></worksheet>"
_FONT = '<sz val="11"/><name val="Calibri"/>'
_PLAIN = 'numFmtId="0" fontId="0" fillId="0" borderId="0"'
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
    f'<fonts count="2"><font>{_FONT}</font><font><b/>{_FONT}</font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    f'<cellStyleXfs count="1"><xf {_PLAIN}/></cellStyleXfs>'
    f'<cellXfs count="2"><xf {_PLAIN} xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)
_BOLD = 1
_TYPES_BEGIN = (
    f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
)
_FORBIDDEN = r"[\x00-\x08\x0b-\x1f\x{fffe}\x{ffff}]"
_FORBIDDEN_CODES = (*range(0x09), *range(0x0B, 0x20), 0xFFFE, 0xFFFF)
_ESCAPE_LIKE = r"_(x[0-9A-Fa-f]{4}_)"


class ExcelFile:
    """An Excel file under construction, with as many sheets as its rows need."""

    def __init__(self, out: RawIOBase, columns: Sequence[Column]) -> None:
        if len(columns) > COLUMNS_MAX:
            raise ValueError(f"{len(columns)} columns; {COLUMNS_MAX} have a letter each")
        self._zip = ZipFile(out, "w", ZIP_DEFLATED, compresslevel=COMPRESSION)
        self._columns = columns
        self._sheets = 0
        self._begin()

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        while batch.num_rows:
            if self._rows >= SHEET_ROWS_MAX or self._bytes >= SHEET_BYTES_MAX:
                self._end()
                self._begin()
            fitting = batch.slice(0, SHEET_ROWS_MAX - self._rows)
            self._write(encoded(self._rows_of(fitting), ""))
            self._rows += fitting.num_rows
            batch = batch.slice(fitting.num_rows)

    def close(self) -> None:
        """Write the parts that name the sheets, and the ZIP's directory."""
        self._end()
        for name, content in _parts(self._sheets):
            self._zip.writestr(name, content)
        self._zip.close()

    def _begin(self) -> None:
        self._sheets += 1
        self._rows = self._bytes = 0
        self._sheet: IO[bytes] = self._zip.open(f"xl/worksheets/sheet{self._sheets}.xml", "w")
        headings = "".join(
            f'<c r="{letter}1" s="{_BOLD}" t="inlineStr"><is><t>{column.name}</t></is></c>'
            for letter, column in zip(ascii_uppercase, self._columns, strict=False)
        )
        self._write(f'{_SHEET_BEGIN}<row r="1">{headings}</row>'.encode())

    def _end(self) -> None:
        self._write(_SHEET_END.encode())
        self._sheet.close()

    def _write(self, content: bytes) -> None:
        self._sheet.write(content)
        self._bytes += len(content)

    def _rows_of(self, batch: pa.RecordBatch) -> pa.StringArray:
        """`<row>` for each row; the headings are the sheet's first."""
        first = self._rows + 2
        numbers = pc.cast(pa.array(range(first, first + batch.num_rows)), pa.string())
        cells = [
            _cells(concatenated(['<c r="', letter, numbers, '"'], ""), texts, column)
            for letter, column, texts in zip(
                ascii_uppercase, self._columns, texts_of(batch, self._columns), strict=False
            )
        ]
        return concatenated(['<row r="', numbers, '">', *cells, "</row>"], "")


def _cells(begins: pa.StringArray, texts: pa.StringArray, column: Column) -> pa.StringArray:
    """`<c>` for each cell; none where nothing is. Excel knows no zones: instants are texts."""
    match column.kind:
        case "truth":
            truths = pc.if_else(pc.equal(texts, "true"), "1", "0")
            cells = concatenated([begins, ' t="b"><v>', truths, "</v></c>"], "")
        case "whole" | "decimal":
            numbers = concatenated([begins, "><v>", texts, "</v></c>"], "")
            cells = pc.if_else(_is_short(texts), numbers, _inline(begins, texts))
        case "text":
            cells = _inline(begins, _escaped(texts))
        case "id" | "instant" | "day":
            cells = _inline(begins, texts)
    return pc.if_else(pc.is_valid(texts), cells, "")


def _inline(begins: pa.StringArray, texts: pa.StringArray) -> pa.StringArray:
    mark = ' t="inlineStr"><is><t xml:space="preserve">'
    return concatenated([begins, mark, texts, "</t></is></c>"], "")


def _is_short(numbers: pa.StringArray) -> pa.BooleanArray:
    """Whether Excel can hold a number exactly."""
    digits = pc.utf8_ltrim(pc.replace_substring_regex(numbers, "[-.]", ""), "0")
    return pc.less_equal(pc.utf8_length(digits), NUMBER_DIGITS_MAX)


def _escaped(texts: pa.StringArray) -> pa.StringArray:
    """For XML; what XML cannot hold as `_x0001_`, as Excel does, and what looks so, too."""
    texts = pc.utf8_slice_codeunits(texts, 0, CELL_CHARS_MAX)
    texts = pc.replace_substring_regex(texts, _ESCAPE_LIKE, r"_x005F_\1")
    if pc.any(pc.match_substring_regex(texts, _FORBIDDEN)).as_py():
        for code in _FORBIDDEN_CODES:
            texts = pc.replace_substring(texts, chr(code), f"_x{code:04X}_")
    for plain, escape in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        texts = pc.replace_substring(texts, plain, escape)
    return texts


def _parts(sheets: int) -> Iterator[tuple[str, str]]:
    """The small parts of the package, by name."""
    numbers = range(1, sheets + 1)
    listed = "".join(f'<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    book = f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets></workbook>'
    yield "xl/workbook.xml", f"{_HEAD}{book}"
    targets = [("worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    yield "xl/_rels/workbook.xml.rels", _relations([*targets, ("styles", "styles.xml")])
    yield "xl/styles.xml", _STYLES
    yield "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])
    kinds = [(f"/xl/worksheets/sheet{n}.xml", "worksheet") for n in numbers]
    kinds += [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="{_TYPE}.{kind}+xml"/>' for name, kind in kinds
    )
    yield "[Content_Types].xml", f"{_HEAD}{_TYPES_BEGIN}{overrides}</Types>"


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{n}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, start=1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'
