"""What became of the rows of a file: counts, and the refusals with their reasons.

Refusals are written to a report as they come, and only the first ones are remembered.
"""

import csv
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TextIO

from gridtally.client import Problem

State = Literal["new", "present", "absent", "undone", "refused"]
REFUSALS_REMEMBERED_MAX = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row is not imported; `code` is the problem's, or `invalid_row`."""

    row: int
    reference: str
    code: str
    reason: str


@dataclass(slots=True)
class Outcomes:
    """Of one file; in a `with` block where there is a report to be written."""

    report: Path | None = None
    counts: Counter[State] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    _file: TextIO | None = None
    _writer: Any = None

    def __enter__(self) -> Self:
        if self.report is not None:
            self._file = self.report.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(["row", "reference", "code", "reason"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def rows(self) -> int:
        """How many rows are done."""
        return self.counts.total()

    def add(self, state: State, count: int = 1) -> None:
        """Count rows."""
        self.counts[state] += count

    def refuse(self, row: int, reference: str, code: str, reason: str) -> None:
        """Count and write down a row that is refused."""
        self.counts["refused"] += 1
        if len(self.refusals) < REFUSALS_REMEMBERED_MAX:
            self.refusals.append(Refusal(row, reference, code, reason))
        if self._writer is not None:
            self._writer.writerow([row, _plain(reference), code, _plain(reason)])


def reason_of(problem: Problem) -> str:
    """A service's refusal in a sentence."""
    return "; ".join([problem.detail, *map(str, problem.errors)])


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
