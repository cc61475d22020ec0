"""What is served as it is: hashes of what others made, and templates without scripts within."""

import hashlib
import re
from pathlib import Path

import pytest

from gridtally.console.assets import STATIC, Assets
from gridtally.console.template_environment import TEMPLATES, environment
from gridtally.console.views.blocks import Field

VENDOR = STATIC / "vendor/third-party"
PAGES = sorted(TEMPLATES.glob("*.html"))


def test_what_others_made_is_what_they_made():
    sums = dict(
        reversed(line.split("  ", 1)) for line in (VENDOR / "SHA256SUMS").read_text().splitlines()
    )
    own = {"README.md", "SHA256SUMS"}
    files = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name not in own
    }
    assert files == sums


def test_each_has_its_licence_and_a_line_in_the_list():
    listed = (VENDOR / "README.md").read_text()
    for folder in VENDOR.iterdir():
        if folder.is_dir():
            assert (folder / "LICENSE").stat().st_size > 0
            assert f"`{folder.name}`" in listed


RULES = {
    "a script within": r"<script(?![^>]*\bsrc=)",
    "a style within": r"<style|\sstyle=",
    "an event handler": r"\son[a-z]+\s*=",
    "what htmx would evaluate": r"hx-on|hx-vals=.js:|js:|hx-trigger=\"[^\"]*\[",
    "text marked as safe that is not ours": r"\{\{(?!\s*['\"])[^}]*\|\s*safe",
    "an address elsewhere": r"(src|href|action)=\"(https?:)?//",
}


@pytest.mark.parametrize("rule", RULES)
def test_no_template_has(rule):
    found = [path.name for path in PAGES if re.search(RULES[rule], path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    ("rule", "planted"),
    [
        ("a script within", "<script>1</script>"),
        ("a style within", '<p style="color: red">'),
        ("an event handler", '<img onerror="x">'),
        ("what htmx would evaluate", '<p hx-on:click="x">'),
        ("text marked as safe that is not ours", "{{ name | safe }}"),
        ("an address elsewhere", '<script src="https://example.com/x.js">'),
    ],
)
def test_the_rule_bites(rule, planted):
    assert re.search(RULES[rule], planted)


def test_every_template_compiles_and_names_files_that_exist():
    assets = Assets.load()
    made = environment(assets)
    for path in PAGES:
        made.get_template(path.name)
        for name in re.findall(r"asset\('([^']+)'\)", path.read_text()):
            assert assets.path(name).startswith(f"/assets/{assets.digest}/")
    for name in re.findall(r'url\("([^"]+)"\)', (STATIC / "console.css").read_text()):
        assert name in assets.files


def test_what_a_page_loads_is_small():
    """60 kB over the wire for a page's scripts and styles, without the typeface."""
    files = Assets.load().files
    loaded = [asset for name, asset in files.items() if name.endswith((".js", ".css"))]
    assert sum(len(asset.compressed or asset.content) for asset in loaded) < 60_000
    assert Path(STATIC / "icon.svg").stat().st_size < 1_000


@pytest.mark.parametrize("options", [(), (("a", "A"),)])
@pytest.mark.parametrize(
    ("said", "marks"),
    [
        ({}, (False, False)),
        ({"hint": "as on the bill"}, (True, False)),
        ({"error": "none of these"}, (True, True)),
    ],
)
def test_what_is_said_of_a_field_is_tied_to_it_whatever_it_is(options, said, marks):
    made = (
        environment(Assets.load())
        .get_template("blocks.html")
        .module.field(Field("tariff", "Tariff", options=options, **said), "f")
    )
    tag = re.search(r'<(?:select|input) id="f-tariff"[^>]*>', made).group()
    assert ('aria-describedby="f-tariff-note"' in tag, 'aria-invalid="true"' in tag) == marks
    assert ('id="f-tariff-note"' in made) == marks[0]
