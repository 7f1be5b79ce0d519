"""Draw docs/report.png, the report in the README, and write beside it what was drawn."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from activation.report.picture import DIGEST, PICTURE, digest_of_picture, digest_of_shop, render_shop

SIZE = {"width": 1180, "height": 1400}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def draw() -> None:
    """Draw the top of the page, as a reader sees it first."""
    browser = next(path for name in BROWSERS if (path := shutil.which(name)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "report.html"
        file.write_text(render_shop(), encoding="utf-8")
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
        page.goto(file.as_uri())
        page.wait_for_selector("#stages-chart svg")
        page.screenshot(path=PICTURE)
        chromium.close()
    DIGEST.write_text(f"page {digest_of_shop()}\npicture {digest_of_picture()}\n", encoding="utf-8")


if __name__ == "__main__":
    draw()
