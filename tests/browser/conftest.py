"""A real browser: Chromium without a window, driven by Playwright, offline.

`make test-browser` runs these tests. Where Playwright or a browser is missing, they are skipped with the reason; with
GLASSMAX_BROWSER_TESTS=required, as in `.ci/run`, they fail. GLASSMAX_BROWSER names another Chromium.
"""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
OWN = ("file:", "data:", "blob:")


def missing(reason):
    """Skip a test for a reason, or fail where the browser is required."""
    if os.environ.get("GLASSMAX_BROWSER_TESTS") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser():
    """Start one browser for all tests of a process."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("No Playwright: pip install '.[browser]'")
    path = os.environ.get("GLASSMAX_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        missing("No Chromium on the PATH: apt-get install chromium, or set GLASSMAX_BROWSER to its path")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Return a function that opens HTML from disk and returns Playwright's page; `first` is a script that runs first.

    When the test ends, each page must have said nothing on its console, raised nothing, broken no rule of its policy
    and asked for nothing.
    """
    contexts, faults = [], []

    def watch(page):
        page.on("console", lambda m: faults.append(f"console: {m.text}") if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("requestfinished", lambda r: None if r.url.startswith(OWN) else faults.append(f"request: {r.url}"))
        page.on("requestfailed", lambda r: None if r.failure == "csp" else faults.append(f"request: {r.url}"))

    def open_page(html, *, width=1440, height=900, scheme="light", hash="", first="", **options):
        path = tmp_path / f"page{len(contexts)}.html"
        path.write_text(html, encoding="utf-8")
        viewport = {"width": width, "height": height}
        context = browser.new_context(viewport=viewport, color_scheme=scheme, offline=True, **options)
        contexts.append(context)
        context.add_init_script(first)
        page = context.new_page()
        page.set_default_timeout(20_000)
        watch(page)
        page.goto(path.as_uri() + hash)
        return page

    open_page.faults = faults
    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
