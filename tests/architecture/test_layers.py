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

OURS = {path.name for path in ROOT.glob("*/*/src/gridtally/*")}

CIRCLES = "No modules import one another in a circle"

# contract, module that gets the import, what it imports; ours without `gridtally.`
PLANTS = [
    ("Packages are layered", "billing.store", "ledger.tables"),
    ("Packages are layered", "ingest.domain", "tariff.domain"),
    ("Packages are layered", "kernel.money", "contracts.model"),
    ("Packages are layered", "rating.engine.bill", "database.engine"),
    ("Packages are layered", "rating.quote", "urdb.importer"),
    ("Packages are layered", "portal_tariffs.importer", "urdb.importer"),
    ("Packages are layered", "cli.app", "local_stack.stack"),
    ("Packages are layered", "http.api", "service.settings"),
    ("Packages are layered", "exports.export", "http.problems"),
    ("Packages are layered", "messaging.consumer", "exports.columns"),
    ("The command meets", "cli.__main__", "billing.app"),
    ("The command meets", "cli.__main__", "sqlalchemy"),
    ("Layers within a service", "billing.domain", "billing.store"),
    ("Layers within a service", "tariff.handlers", "tariff.api"),
    ("Layers within a service", "ingest.handlers", "ingest.settings"),
    ("Layers within a service", "billing.events", "billing.store"),
    ("Layers within the console", "console.views.charts", "console.pages.visit"),
    ("Layers within the console", "console.upstream", "console.sessions"),
    ("The console has no database", "console.pages.overview", "database.engine"),
    ("The console has no database", "console.upstream", "aiokafka"),
    ("FastAPI stays", "console.views.blocks", "fastapi"),
    ("Layers within the ledger", "ledger.columns", "ledger.metering.readings.store"),
    ("Layers within the ledger", "ledger.accounts.domain", "ledger.app"),
    ("Layers within the ledger", "ledger.registry.handlers", "ledger.metering.readings.store"),
    ("Layers within the ledger", "ledger.metering.analytics.handlers", "ledger.accounts.store"),
    ("Layers within the ledger", "ledger.accounts.handlers", "ledger.audit.handlers"),
    ("Layers within a feature", "ledger.registry.domain", "ledger.registry.store"),
    (
        "Layers within a feature",
        "ledger.metering.readings.store",
        "ledger.metering.readings.handlers",
    ),
    (
        "Layers within a feature",
        "ledger.metering.analytics.handlers",
        "ledger.metering.analytics.schemas",
    ),
    ("Analytics lie above", "ledger.metering.readings.store", "ledger.metering.analytics.domain"),
    ("Layers within a feature", "ledger.accounts.events", "ledger.accounts.store"),
    ("Layers within a feature", "ledger.audit.handlers", "ledger.audit.api"),
    ("The ledger's accounts and chain", "ledger.accounts.store", "ledger.registry.store"),
    ("The ledger's accounts and chain", "ledger.audit.domain", "ledger.metering.readings.domain"),
    ("Kernel, metering, rating and domain are pure", "kernel.ids", "random"),
    ("Kernel, metering, rating and domain are pure", "rating.engine.bill", "logging"),
    ("Kernel, metering, rating and domain are pure", "metering.registers", "time"),
    ("Kernel, metering, rating and domain are pure", "billing.domain", "asyncpg"),
    ("Kernel, metering, rating and domain are pure", "ledger.accounts.domain", "pydantic"),
    ("Kernel, metering, rating and domain are pure", "ingest.domain", "time"),
    ("Only messaging speaks", "ingest.handlers", "aiokafka"),
    ("Only messaging speaks", "service.process", "aiokafka"),
    ("FastAPI stays", "billing.handlers", "fastapi"),
    ("FastAPI stays", "ledger.metering.readings.domain", "starlette"),
    ("FastAPI stays", "messaging.consumer", "fastapi"),
    ("FastAPI stays", "exports.export", "starlette"),
    ("SQL stays", "tariff.api", "sqlalchemy"),
    ("SQL stays", "ledger.registry.api", "sqlalchemy"),
    ("SQL stays", "billing.handlers", "asyncpg"),
    (CIRCLES, "exports.columns", "exports.files"),
    (CIRCLES, "messaging.progress", "messaging.consumer"),
]


def full_name(module):
    return f"gridtally.{module}" if module.split(".")[0] in OURS else module


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What import-linter says of a copy of the code with every violation planted."""
    copy = tmp_path_factory.mktemp("planted")
    for source in ROOT.glob("*/*/src/gridtally/*"):
        shutil.copytree(
            source,
            copy / "gridtally" / source.name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    (
        copy / "gridtally" / "__init__.py"
    ).touch()  # a regular package hides the real code's namespace
    for _, importer, imported in PLANTS:
        path = copy / "gridtally" / importer.replace(".", "/")
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        path.write_text(f"{path.read_text()}\nimport {full_name(imported)}\n")
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
    shown = f"gridtally.{importer} -> {full_name(imported)}"
    if contract == CIRCLES:  # which import closes a circle is the reader's to say
        shown = f"No cycles are allowed in {full_name(importer).rpartition('.')[0]}"
    assert re.search(rf"\b{re.escape(shown)}\b", section), section


def test_every_contract_has_a_planted_violation():
    planted = {contract for contract, _, _ in PLANTS}
    for contract in CONFIG["contracts"]:
        assert any(contract["name"].startswith(start) for start in planted), contract["name"]
