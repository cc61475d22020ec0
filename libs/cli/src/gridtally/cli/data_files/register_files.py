"""The readings of a NEM13 file as rows of register readings, as a table of them has.

Owns which meter a register of the market is: the one that is mapped to it, else the one whose
reference is its NMI, unless registers of the NMI are of one flow.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gridtally.cli.data_files.rows import Row
from gridtally.cli.errors import CommandError
from gridtally.meter_files.channels import FileError
from gridtally.meter_files.nem13 import RegisterRead, is_nem13, read_nem13

HEAD_BYTES = 64
BYTES_MAX = 512 * 1024 * 1024
REACTIVE = ("reactive_import", "reactive_export")


def parse_mapping(texts: Sequence[str]) -> dict[str, str]:
    """Registers of the market to meters, of `REGISTER=METER`; CommandError where one is neither."""
    mapping: dict[str, str] = {}
    for text in texts:
        register, _, meter = text.rpartition("=")
        if not register.strip() or not meter.strip():
            raise CommandError(f"--map {text!r}: write '6102000001 11=METER', a reference or an id")
        mapping[register.strip()] = meter.strip()
    return mapping


def has_registers(path: Path) -> bool:
    """Whether a file is NEM13; CommandError where it cannot be read."""
    try:
        with path.open("rb") as content:
            return is_nem13(content.read(HEAD_BYTES))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None


def read_register_rows(
    path: Path, mapping: Mapping[str, str], *, has_all: bool = True
) -> Iterator[Row]:
    """A row for each reading of the file, in its order; CommandError where it is no such file, or,
    if it `has_all`, lacks a register that is mapped."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise CommandError(f"{path}: has more than {BYTES_MAX >> 20} MiB: split it")
        reads = read_nem13(path.read_text(encoding="utf-8-sig"))
    except FileError as error:
        raise CommandError(f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path}: is not in UTF-8, as NEM13 is") from None
    registers = {read.register for read in reads}
    if has_all and (unknown := sorted(set(mapping) - registers)):
        shown = ", ".join(sorted(registers)[:10])
        raise CommandError(f"{path}: has no register {unknown[0]!r}; it has {shown}")
    shared = _shared_names(reads, mapping)
    for read in reads:
        yield _row(read, mapping, shared)


def _shared_names(
    reads: Sequence[RegisterRead], mapping: Mapping[str, str]
) -> dict[tuple[str, str], list[str]]:
    """The registers of one flow that would be the same meter's, by meter and flow."""
    registers: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for read in reads:
        registers[_meter(read, mapping), read.flow].add(read.register)
    return {key: sorted(names) for key, names in registers.items() if len(names) > 1}


def _meter(read: RegisterRead, mapping: Mapping[str, str]) -> str:
    return mapping.get(read.register, read.nmi)


def _row(
    read: RegisterRead,
    mapping: Mapping[str, str],
    shared: Mapping[tuple[str, str], Sequence[str]],
) -> Row:
    meter = _meter(read, mapping)
    fields = {
        "meter": meter,
        "read_at": read.read_at.isoformat(),
        "kwh": f"{read.kwh:f}",
        "flow": read.flow,
        "quality": read.quality,
        "note": f"NEM13 {read.register}, meter {read.serial or 'without a serial'}",
    }
    fault = None
    if read.flow in REACTIVE:
        fault = f"{read.register} counts reactive energy, of which the ledger has no register"
    elif names := shared.get((meter, read.flow)):
        fault = (
            f"{' and '.join(names)} would be one register of {meter}: say whose each is, with "
            f"--map '{read.register}=METER'"
        )
    return Row(read.row, fields, fault)
