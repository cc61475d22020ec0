"""A kind of tariff component that the planner does not know is a type error, not a free charge."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIBS = ROOT / "libs"
PLANTED = '''"""A kind that nothing plans."""

from dataclasses import dataclass
from typing import ClassVar

from gridtally.rating.components.charge import Charge


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll(Charge):
    """What no step charges."""

    kind: ClassVar[str] = "toll"
'''
FORGOTTEN = {
    ("plan/plan.py", "_cut_steps"),
    ("plan/plan.py", "_whole_steps"),
    ("tariff.py", "_daily_charge"),
}


def function_at(path, line):
    """The name of the function whose first line is there."""
    return path.read_text().splitlines()[line - 1].split("(")[0].removeprefix("def ")


def test_a_kind_that_is_planned_nowhere_is_a_type_error(tmp_path):
    copy = tmp_path / "gridtally"
    for lib in ("kernel", "rating"):
        shutil.copytree(
            LIBS / lib / "src" / "gridtally" / lib,
            copy / lib,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    rating = copy / "rating"
    (rating / "components" / "toll.py").write_text(PLANTED)
    tariff = rating / "tariff.py"
    tariff.write_text(
        tariff.read_text()
        .replace("    | Tax\n", "    | Tax\n    | Toll\n")
        .replace(
            "from gridtally.rating.components.tax import Tax\n",
            "from gridtally.rating.components.tax import Tax\n"
            "from gridtally.rating.components.toll import Toll\n",
        )
    )
    ran = subprocess.run(
        [
            Path(sys.executable).with_name("mypy"),
            "--config-file",
            ROOT / "pyproject.toml",
            "--cache-dir",
            tmp_path / "cache",
            tariff.relative_to(tmp_path),
            (rating / "plan" / "plan.py").relative_to(tmp_path),
        ],
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    *errors, _ = ran.stdout.splitlines()
    found = set()
    for error in errors:
        file, line, message = error.split(":", 2)
        assert "Missing return statement" in message, ran.stdout + ran.stderr
        path = tmp_path / file
        found.add((str(path.relative_to(rating)), function_at(path, int(line))))
    assert found == FORGOTTEN, ran.stdout + ran.stderr
