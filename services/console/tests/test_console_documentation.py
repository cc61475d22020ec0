"""The documentation site as the console serves it: its own files, and what its pages may run."""

import base64
import hashlib

import pytest
from pydantic import ValidationError

from doubles.console import console, seen, those_that

SCRIPT = "var palette=1"
PAGE = (
    f'<script>{SCRIPT}</script><script src="assets/a.js"></script>'
    '<script id="__config" type="application/json">{"base": "."}</script>'
)


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/a.js").write_text("run()")
    (tmp_path.parent / "secret.html").write_text("secret")
    return tmp_path


async def test_its_pages_run_the_scripts_that_stand_in_them_and_no_others(directory):
    async with console({}, documentation_dir=directory) as browser:
        answer = await browser.get("/documentation/index.html")
        assert (answer.status_code, answer.text) == (200, PAGE)
        hash_ = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert f"script-src 'self' 'sha256-{hash_}'" in policy
        assert "default-src 'none'" in policy
        own = (await browser.get("/sign-in")).headers["Content-Security-Policy"].split("; ")
        assert "script-src 'self'" in own
        script = await browser.get("/documentation/assets/a.js")
        assert script.headers["Content-Type"].startswith("text/javascript")


async def test_who_has_a_file_gets_it_once_more_only_where_it_changed(directory):
    async with console({}, documentation_dir=directory) as browser:
        path = "/documentation/assets/a.js"
        has = {"If-None-Match": (await browser.get(path)).headers["etag"]}
        same = await browser.get(path, headers=has)
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == has["If-None-Match"]
        (directory / "assets/a.js").write_text("run(again)")
        assert (await browser.get(path, headers=has)).status_code == 200


@pytest.mark.parametrize("path", ["/documentation", "/documentation/"])
async def test_its_address_leads_to_its_first_page(directory, path):
    async with console({}, documentation_dir=directory) as browser:
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (
            307, "/documentation/index.html"
        )  # fmt: skip


async def test_developers_are_led_to_it(directory):
    answer, _ = await seen(those_that(), "/developers", documentation_dir=directory)
    assert 'href="/documentation/index.html"' in answer.text


async def test_a_file_that_was_removed_since_the_start_is_not_there(directory):
    async with console({}, documentation_dir=directory) as browser:
        (directory / "assets/a.js").unlink()
        assert (await browser.get("/documentation/assets/a.js")).status_code == 404


@pytest.mark.parametrize("name", ["%2e%2e/secret.html", "..%2fsecret.html", "assets", "none.html"])
async def test_nothing_beside_it_is_served(directory, name):
    async with console({}, documentation_dir=directory) as browser:
        assert (await browser.get(f"/documentation/{name}")).status_code == 404


async def test_without_a_site_there_is_none_and_no_link_to_it():
    async with console({}) as browser:
        assert (await browser.get("/documentation/index.html")).status_code == 404
    answer, _ = await seen(those_that(), "/developers")
    assert answer.status_code == 200
    assert "/documentation" not in answer.text


def test_a_directory_without_a_site_is_a_wrong_setting(tmp_path):
    with pytest.raises(ValidationError, match="`make site` builds"):
        console({}, documentation_dir=tmp_path)
