"""What the documents point at exists, and the lock fits the packages."""

import asyncio
import importlib
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from faults.state import CONSUMES
from gridtally.cli import installation
from gridtally.contracts.topics import SERVICES, TOPICS
from gridtally.database import Database
from gridtally.database.engine import engine_of
from gridtally.http.context import utc_now
from gridtally.messaging import Publisher
from gridtally.service.service import Process
from gridtally.service.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    path
    for pattern in (
        "*.md",
        "docs/**/*.md",
        "libs/*/README.md",
        "services/*/README.md",
        "deploy/**/*.md",
    )
    for path in sorted(ROOT.glob(pattern))
]
PROJECTS = sorted([*ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
MAKE = re.compile(r"`make ([a-z][a-z0-9-]*)")
MIN_README_CHARS = 400


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_commands_exist(path):
    text = path.read_text()
    dead = [link for link in LINK.findall(text) if not (path.parent / link).exists()]
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert not dead
    assert set(MAKE.findall(text)) <= targets


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.parent.name)
def test_every_package_says_what_it_owns_and_what_not(project):
    readme = (project.parent / "README.md").read_text()
    assert len(readme) > MIN_README_CHARS
    for word in ("own", "not own", "nvariant"):
        assert word in readme, word


def consumed_by(service):
    """The topics of a service's subscriptions, put together as it does itself."""
    made = importlib.import_module(f"gridtally.{service}.app").SERVICE
    database = Database(engine_of("postgresql://nowhere/none"))
    settings = made.settings_class.model_construct(kafka_bootstrap_servers="nowhere")
    publisher = Publisher("", client_id="")
    parts = made.build(Process(service, settings, database, publisher, utc_now, asyncio.Event()))
    return {subscription.event.TOPIC for subscription in parts.subscriptions}


def named_in(text):
    """The topics that a text names, as its readers do: without their version."""
    names = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", text))
    return {topic for topic in TOPICS if topic.removesuffix(".v1") in names}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_says_what_it_consumes_and_emits(service):
    readme = (ROOT / "services" / service / "README.md").read_text()
    consumes, emits = re.search(
        r"\*\*Consumes\*\*(.+?)\n\n\*\*Emits\*\*(.+?)\n## ", readme, re.DOTALL
    ).groups()
    consumed = consumed_by(service)
    emitted = {topic.name for topic in TOPICS.values() if service in topic.emitted_by}
    received = {topic.name for topic in TOPICS.values() if service in topic.received_by}
    assert named_in(consumes) == consumed == received
    assert emitted <= named_in(emits) <= emitted | consumed
    assert set(CONSUMES[service]) == consumed, "the fault tests wait for what they know of"


def test_the_architecture_names_every_topic():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    assert [topic for topic in TOPICS if topic.removesuffix(".v1") not in text] == []


def test_every_decision_is_listed():
    listed = LINK.findall((ROOT / "docs/adr/README.md").read_text())
    assert listed == sorted(path.name for path in ROOT.glob("docs/adr/[0-9]*.md"))


def test_every_setting_is_explained():
    """Those of all services in docs/operations.md, a service's own in its README."""
    common = (ROOT / "docs/operations.md").read_text()
    missing = [name for name in ServiceSettings.model_fields if f"`{name.upper()}`" not in common]
    for service in SERVICES:
        readme = (ROOT / "services" / service / "README.md").read_text()
        module = importlib.import_module(f"gridtally.{service}.settings")
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, ServiceSettings):
                own = set(kind.model_fields) - set(ServiceSettings.model_fields)
                missing += [f"{service}: {n}" for n in own if f"`{n.upper()}`" not in readme]
    assert not missing


def test_make_help_lists_every_command():
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY: (\S+)", makefile, re.MULTILINE))
    ran = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"^  make (\S+)", ran.stdout, re.MULTILINE)) == phony


def locked():
    """The lock's pins: canonical name → versions, of which markers choose one."""
    pins = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line):
            pins.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return pins


def declared():
    """Every dependency that a package of the workspace declares, and the tools for development."""
    root = tomllib.loads((ROOT / "pyproject.toml").read_text())
    texts = list(root["dependency-groups"]["dev"])
    own = set()
    for path in PROJECTS:
        project = tomllib.loads(path.read_text())["project"]
        own.add(canonicalize_name(project["name"]))
        texts += project["dependencies"]
        texts += [
            text for extra in project.get("optional-dependencies", {}).values() for text in extra
        ]
    return [
        wanted for text in texts if canonicalize_name((wanted := Requirement(text)).name) not in own
    ]


def test_the_lock_has_what_the_packages_declare():
    pins = locked()
    for wanted in declared():
        versions = pins.get(canonicalize_name(wanted.name), [])
        assert versions, f"{wanted} is not in requirements.lock: run `make lock`"
        assert all(wanted.specifier.contains(version) for version in versions), wanted


def test_the_locks_pin_by_hash_and_name_no_address():
    for path in (ROOT / "requirements.lock", *ROOT.glob("scripts/requirements/*.txt")):
        text = path.read_text()
        assert "://" not in text
        for block in re.split(r"\n(?=\S)", text.strip()):
            assert re.search(r"==\S+.*--hash=sha256:[0-9a-f]{64}", block, re.DOTALL), block


def test_the_command_knows_every_service():
    """In the order of the local ports; it cannot ask the contracts, which it does not need."""
    assert set(installation.SERVICES) == set(SERVICES)


def test_the_lock_of_asyncapis_parser_pins_by_hash_and_names_no_address():
    lock = json.loads((ROOT / "scripts/asyncapi/package-lock.json").read_text())
    wanted = json.loads((ROOT / "scripts/asyncapi/package.json").read_text())["dependencies"]
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
