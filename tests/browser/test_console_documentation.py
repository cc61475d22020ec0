"""The documentation site in a browser, as the console serves it."""

from browser.conftest import PICTURES


async def test_the_documentation_is_read_searched_and_coloured_in_the_console(site):
    """As it was built: its scripts run, no policy is broken, nothing is asked of elsewhere."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with site.visitor() as visitor:
        page = visitor.page
        await visitor.open("/developers")
        await page.get_by_role("link", name="Documentation").click()
        await page.wait_for_url("**/documentation/index.html")
        await page.get_by_placeholder("Search").fill("back-billing")
        await page.locator(".md-search-result__item a").first.wait_for()
        await page.screenshot(path=PICTURES / "documentation-search.png")
        await visitor.open("/documentation/services/billing.html")
        await page.locator("label[title='Dark']").click()
        assert await page.locator("body").get_attribute("data-md-color-scheme") == "slate"
        await visitor.open("/documentation/index.html")
        assert await page.locator("body").get_attribute("data-md-color-scheme") == "slate"
