"""A stack with a month of 20 homes, two tenants, and a Chromium that looks at its console.

Every page that a test opens is watched: an error of a script, a breach of the content policy or a
request to anywhere else fails the test.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from e2e.installation import Running, empty_gridtally
from gridtally.cli.api_keys import new_key, register_key
from gridtally.cli.installation import SCOPES, Installation
from gridtally.local_stack.demo import walkthrough
from gridtally.local_stack.services import url

HOMES = 20
WIDE = {"width": 1280, "height": 800}
HOSTILE = '<img src=x onerror="alert(1)">'
PICTURES = Path(__file__).parents[2] / ".cache/browser"
DOCUMENTATION = Path(__file__).parents[2] / ".cache/site"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
MISSING = "no Chromium: apt-get install chromium, or name another by CHROMIUM"


class NoSteps:
    """Nobody watches the progress."""

    def step(self, _title, _total):
        return lambda _done: None


@dataclass
class Visitor:
    """A page of a browser, with whatever went wrong in it."""

    page: Page
    base: str
    faults: list[str] = field(default_factory=list)
    missing_is_fine: bool = False
    refusal_is_fine: bool = False

    def watch(self):
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))

    def _heard(self, message):
        is_missing = self.missing_is_fine and "404" in message.text
        is_refusal = self.refusal_is_fine and "422" in message.text
        if message.type in {"error", "warning"} and not is_missing and not is_refusal:
            self.faults.append(message.text)

    def _asked(self, request):
        if not request.url.startswith((self.base, "data:")):
            self.faults.append(f"request to {request.url}")

    async def open(self, path, status=200):
        answer = await self.page.goto(self.base + path)
        assert answer.status == status, f"{path}: {answer.status}"
        await self.page.wait_for_load_state("networkidle")
        return answer

    async def sign_in(self, key):
        await self.open("/sign-in")
        await self.page.get_by_label("API key").fill(key)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.wait_for_url(self.base + "/")


@dataclass(frozen=True, slots=True)
class Site:
    """The console and what is behind it; `other` is an installation of another tenant."""

    running: Running
    console: str
    other: Installation
    browser: Browser

    @asynccontextmanager
    async def visitor(self, *, key=None, **how) -> AsyncIterator[Visitor]:
        context = await self.browser.new_context(
            **{"viewport": WIDE, "reduced_motion": "reduce"} | how
        )
        visitor = Visitor(await context.new_page(), self.console)
        visitor.watch()
        try:
            await visitor.sign_in(key or self.running.installation.api_key)
            yield visitor
            assert visitor.faults == []
        finally:
            await context.close()


@pytest.fixture(scope="session")
async def site(stack_servers):
    assert os.access(CHROMIUM, os.X_OK), MISSING
    settings = {"DOCUMENTATION_DIR": str(DOCUMENTATION)}
    async with empty_gridtally(stack_servers, settings) as running:
        installation = running.installation
        outcome = await walkthrough.run(installation, NoSteps(), count=HOMES, run_name="browser")
        assert all(finding.holds for finding in outcome.findings)
        other = Installation(installation.urls, None, installation.operator_token, new_key())
        await register_key(other, other.api_key, tenant_id="other", name="other", scopes=SCOPES)
        async with other.as_tenant() as api:
            await api.post("billing", "/v1/customers", {"name": HOSTILE, "currency": "EUR"})
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox"]
            )
            yield Site(running, url(running.stack.console.port), other, browser)
            await browser.close()
