"""How a page is looked at: in each look, by axe, as a picture; and how a customer gets in."""

import re
from pathlib import Path

import axe_playwright_python

from browser.conftest import PICTURES

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RUN_AXE = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
  const found = await axe.run({ runOnly: rules, resultTypes: ["violations"] });
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html).join(" ")}`);
}"""
LOOKS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


async def looked_at(visitor, path, known):
    """What is wrong with a page in each look."""
    page, found = visitor.page, []
    await visitor.open(path.format(**known))
    assert await page.locator("h1").count() == 1, path
    await page.evaluate(AXE)
    for width, scheme in LOOKS:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme=scheme)
        found += [f"{path} {width} {scheme} {x}" for x in await page.evaluate(RUN_AXE)]
        if scheme == "light":
            name = re.sub(r"\W+", "-", path).strip("-") or "overview"
            await page.screenshot(path=PICTURES / f"{name}-{width}.png")
        if await page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            found.append(f"{path} is wider than {width}")
    return found


async def enter_portal(visitor, known):
    """Follow the link that the staff's page shows for a customer."""
    page = visitor.page
    await visitor.open(f"/customers/{known['customer_id']}/portal-link")
    await page.get_by_role("button", name="Make a portal link").click()
    link = await page.get_by_label("Link", exact=True).input_value()
    await visitor.open(link.removeprefix(visitor.base))
    await page.wait_for_url("**/portal")
