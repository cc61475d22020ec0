"""Every contract of import-linter bites: planted violations are all reported.

That the code itself keeps them is `make lint`'s business.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]

# contract, module that gets the import, what it imports
PLANTS = [
    ("Packages are layered", "billing.store", "ledger.tables"),
    ("Packages are layered", "ingest.domain", "tariff.domain"),
    ("Packages are layered", "kernel.money", "contracts.model"),
    ("Packages are layered", "rating.bill", "database.engine"),
    ("Packages are layered", "gridtally.__main__", "billing.app"),
    ("The command meets", "gridtally.__main__", "sqlalchemy"),
    ("Layers within a service", "billing.domain", "billing.store"),
    ("Layers within a service", "ledger.store", "ledger.handlers"),
    ("Layers within a service", "tariff.handlers", "tariff.api"),
    ("Layers within a service", "ingest.handlers", "ingest.settings"),
    ("Layers within a service", "billing.wire", "billing.store"),
    ("Kernel, rating and domain are pure", "kernel.ids", "random"),
    ("Kernel, rating and domain are pure", "rating.bill", "logging"),
    ("Kernel, rating and domain are pure", "billing.domain", "asyncpg"),
    ("Kernel, rating and domain are pure", "ingest.domain", "time"),
    ("Only messaging speaks", "ingest.handlers", "aiokafka"),
    ("Only messaging speaks", "serving.process", "aiokafka"),
    ("FastAPI stays", "billing.handlers", "fastapi"),
    ("FastAPI stays", "ledger.domain", "starlette"),
    ("FastAPI stays", "messaging.consumer", "fastapi"),
    ("SQL stays", "tariff.api", "sqlalchemy"),
    ("SQL stays", "billing.handlers", "asyncpg"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What import-linter says of a copy of the code with every violation planted."""
    copy = tmp_path_factory.mktemp("planted")
    for package in CONFIG["root_packages"]:
        (source,) = ROOT.glob(f"*/{package}/src/{package}")
        shutil.copytree(source, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for _, importer, imported in PLANTS:
        path = copy / importer.replace(".", "/")
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        path.write_text(f"{path.read_text()}\nimport {imported}\n")
    shutil.copy(ROOT / "pyproject.toml", copy)
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Broken contracts" in ran.stdout, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize(("contract", "importer", "imported"), PLANTS)
def test_a_planted_violation_is_reported(report, contract, importer, imported):
    _, _, details = report.partition("Broken contracts")
    sections = re.split(r"\n(.+)\n-{3,}\n", details)
    found = dict(zip(sections[1::2], sections[2::2], strict=True))
    (section,) = [text for name, text in found.items() if name.startswith(contract)]
    assert re.search(rf"\b{re.escape(importer)} -> {re.escape(imported)}\b", section), section


def test_every_contract_has_a_planted_violation():
    planted = {contract for contract, _, _ in PLANTS}
    for contract in CONFIG["contracts"]:
        assert any(contract["name"].startswith(start) for start in planted), contract["name"]
