"""The README's map names every file, and every name in it exists."""

import importlib
import re
from pathlib import Path

import gridtally.rating.usage

PACKAGE = Path(gridtally.rating.usage.__file__).parent
README = (Path(__file__).parents[1] / "README.md").read_text()
TABLE, STEPS = README.partition("### How a tiered bill is made")[::2]


def test_the_map_names_every_file():
    files = {path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
    named = set(re.findall(r"`((?:(?:demand|proof)/)?\w+\.py)`", TABLE))
    assert named == {
        str(
            path.relative_to(path.parents[1])
            if path.parent.name in ("demand", "proof")
            else path.name
        )
        for path in files
    }


def test_the_steps_of_a_tiered_bill_exist():
    references = re.findall(r"`((?:\w+/)?\w+)\.py:([\w.]+)`", STEPS)
    assert len(references) > 10
    for file, name in references:
        (path,) = PACKAGE.rglob(f"{file}.py")
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        value = importlib.import_module(f"gridtally.rating.{module}")
        for part in name.split("."):
            value = getattr(value, part)
