"""The words of docs/glossary.md and docs/style.md: house words that are gone stay gone.

Each rule has a planted violation that shows it bites.
"""

import ast
import re
from pathlib import Path

import pytest

from syntax_trees import nodes

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("libs", "services", "tests")
    for path in ROOT.glob(f"{folder}/**/*.py")
    if not {"__pycache__", "versions"} & set(path.parts) and path != Path(__file__)
)
"""All but migrations, which are never edited once somebody may have run them."""
SERVICES = sorted(path.name for path in ROOT.glob("services/*"))
SOURCES = [path for path in FILES if "src" in path.parts]

SAYS_NOTHING = {"one", "it", "each", "told", "found", "several", "alike", "anew", "kept"}
"""No variable of a loop is called so: it is called what it holds."""
GONE = {
    "alike", "anew", "aside", "climb", "climbing", "climbs", "demanded", "fate", "fates", "giving",
    "keeping", "ladder", "ladders", "rollup", "rollups", "several", "stranger", "strangers",
    "stretch", "stretches", "tally", "told", "wire",
}  # fmt: skip
"""No part of a name that the code gives: the glossary has another word for each."""
NOUNS_IN_ING = {
    "billing", "dunning", "metering", "messaging", "net_billing", "net_metering", "paging",
    "pending", "polling", "rating", "sorting",
}  # fmt: skip
"""Of the trade, or of the craft; other file names in -ing are participles."""


def bound_names(source):
    """Each name that a module gives (line, name): variables, arguments, functions, classes."""
    for node in nodes(source, ast.Name):
        if isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
    for node in nodes(source, ast.arg):
        yield node.lineno, node.arg
    for node in nodes(source, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
        yield node.lineno, node.name


def loop_variables(source):
    """The names that loops and comprehensions give (line, name)."""
    for node in nodes(source, ast.For, ast.AsyncFor, ast.comprehension):
        for part in ast.walk(node.target):
            if isinstance(part, ast.Name):
                yield part.lineno, part.id


def words_of(name):
    """A name's words: `heldStretch` and `held_stretch` have the same."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def loops_that_say_nothing(source):
    for line, name in loop_variables(source):
        if name in SAYS_NOTHING:
            yield f"line {line}: a loop's variable is called {name}"


def house_words(source):
    for line, name in bound_names(source):
        if gone := words_of(name) & GONE:
            yield f"line {line}: {name} ({', '.join(gone)}): see docs/glossary.md"


def indexes_called_place(source):
    """`place` names a property to nobody, and an index to a reader of old code."""
    for line, name in bound_names(source):
        if name in {"place", "places"}:
            yield f"line {line}: {name}"


def participles(name):
    """File names that say what is done, not what it is done with."""
    stem = name.removesuffix(".py").removeprefix("test_")
    if stem.endswith("ing") and stem not in NOUNS_IN_ING:
        yield name


RULES = [loops_that_say_nothing, house_words, indexes_called_place]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_code_speaks_the_glossarys_language(rule):
    found = [f"{path.relative_to(ROOT)}: {x}" for path in FILES for x in rule(path.read_text())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "planted"),
    [
        (loops_that_say_nothing, "for one in invoices: ..."),
        (loops_that_say_nothing, "{each.id: n for n, each in rows}"),
        (house_words, "def climb_tiers(): ..."),
        (house_words, "class HeldStretch: ..."),
        (house_words, "told = 1"),
        (indexes_called_place, "def value(place): ..."),
    ],
)
def test_the_rule_bites(rule, planted):
    assert list(rule(planted))


def test_files_are_named_by_nouns():
    paths = [path for path in FILES if "tests" not in path.parts]
    assert not [path for path in paths if [*participles(path.name)]]
    assert [*participles("closing.py")]


EXCEPTIONS = {
    "__init__": "what a package is",
    "callers": "who may call, for every router of a service",
    "description": "what the OpenAPI document says beside the routers",
    "exports": "files of what other modules of its package compute",
    "models": "bodies that several routers share",
    "templates": "pages, which are no modules",
}
"""Files of `api` and `handlers` without a namesake in `domain` or `store`, and why."""


FEATURES = {
    "/".join(domain.parent.parts[domain.parts.index("gridtally") + 1 :]): domain.parent
    for domain in sorted(ROOT.glob("services/*/src/gridtally/**/domain"))
}
"""The folders that have layers: each service, and each book of the ledger."""


@pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES)
def test_one_noun_has_one_file_name_in_every_layer(feature):
    nouns = {path.stem for layer in ("domain", "store") for path in (feature / layer).iterdir()}
    strays = [
        path.relative_to(feature)
        for layer in ("api", "handlers")
        for path in (feature / layer).iterdir()
        if path.suffix in {"", ".py"} and path.stem not in nouns | set(EXCEPTIONS) | {"__pycache__"}
    ]
    assert not strays
