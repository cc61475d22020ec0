"""Migrations of a service are one chain, numbered as their files are: two that land at the same
time under one number would leave no database able to be made."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(ROOT.glob("services/*/src/gridtally/*/migrations/versions"))
REVISIONS = re.compile(r'^revision = "(\d{4})"\ndown_revision = (?:"(\d{4})"|None)$', re.MULTILINE)


def broken_links(steps):
    """Files, by name with their text, that are not the next step after the one before."""
    before = None
    for name, text in sorted(steps.items()):
        found = REVISIONS.search(text)
        number = f"{int(before or 0) + 1:04}"
        if found is None or found.groups() != (number, before) or not name.startswith(number):
            yield name
        before = number


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parents[1].name)
def test_migrations_are_one_chain(folder):
    assert [*broken_links({path.name: path.read_text() for path in folder.glob("*.py")})] == []


def step(revision, down):
    return f'revision = "{revision}"\ndown_revision = {down}\n'


@pytest.mark.parametrize(
    ("steps", "broken"),
    [
        ({"0001_a.py": step("0001", "None"), "0002_b.py": step("0002", '"0001"')}, []),
        (
            {
                "0001_a.py": step("0001", "None"),
                "0002_b.py": step("0002", '"0001"'),
                "0002_c.py": step("0002", '"0001"'),
            },
            ["0002_c.py"],
        ),
        ({"0001_a.py": step("0001", "None"), "0002_b.py": step("0003", '"0001"')}, ["0002_b.py"]),
    ],
)
def test_a_step_beside_the_chain_is_found(steps, broken):
    assert [*broken_links(steps)] == broken
