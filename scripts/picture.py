"""Writes the README's picture of a report: `make picture`, after `make eval`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

if __name__ == "__main__":
    page_file, picture = map(Path, sys.argv[1:])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        page.goto(page_file.resolve().as_uri())
        page.evaluate("document.getElementById('scores').scrollIntoView()")
        page.screenshot(path=picture)
