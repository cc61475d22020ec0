"""Files of meter readings, whatever their format: a layout is proposed, and read once declared."""

from dataclasses import dataclass

from gridtally.files.formats import recognize
from gridtally.meter_files.channels import FileError, MeterFile
from gridtally.meter_files.csv_file import read_csv
from gridtally.meter_files.csv_guess import guess_csv
from gridtally.meter_files.csv_layout import CsvLayout
from gridtally.meter_files.green_button import GreenButtonLayout, read_green_button
from gridtally.meter_files.nem import Nem12Layout, read_nem12

Layout = CsvLayout | Nem12Layout | GreenButtonLayout
HEAD_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Guess:
    """The layout that a file seems to have, and a sentence for each thing taken for granted."""

    layout: Layout
    notes: tuple[str, ...] = ()


def guess_layout(content: bytes, zone: str) -> Guess:
    """What a file of a meter in `zone` seems to be; FileError, with what to do, where that is not
    to be told."""
    if not content.strip():
        raise FileError("the file is empty")
    known = recognize(content, "csv")
    name = known.name if known else ""
    if "NEM1" in name:
        return Guess(Nem12Layout())
    if "Green Button" in name or b"espi" in content[:HEAD_BYTES].lower():
        return Guess(GreenButtonLayout())
    if known is not None and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileError(f"the file is {known}")
    return Guess(*guess_csv(content, zone))


def read_file(content: bytes, layout: Layout) -> MeterFile:
    """The channels of a file by its layout; FileError with what is wrong in it, and where."""
    match layout:
        case CsvLayout():
            return read_csv(content, layout)
        case Nem12Layout():
            return read_nem12(_nem_text(content))
        case GreenButtonLayout():
            return read_green_button(content)


def _nem_text(content: bytes) -> str:
    """The text of a NEM12 file: whatever other format it is, is said in its own words."""
    known = recognize(content, "csv")
    if known is not None and "NEM1" not in known.name:
        raise FileError(f"the file is {known}, no NEM12 file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError("the file is no text in UTF-8, as NEM12 is") from None
