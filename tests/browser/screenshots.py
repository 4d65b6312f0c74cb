"""Pictures of every page of a running desk, for the documentation.

    python -m tests.browser.screenshots --url http://127.0.0.1:8600 --user demo --password demo

writes docs/images/<page>-<size>-<theme>.png. The market shown is the first of the list.
"""

import argparse
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.chromium import SIZES, THEMES, browsing, sign_in

PAGES = {
    "markets": "/markets/",
    "market": "",
    "health": "/health/",
    "scope": "/scope/",
    "admin": "/admin/",
}


def main() -> None:
    """Take the pictures asked for."""
    asked = _arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    for size in asked.size:
        for theme in asked.theme:
            with browsing(size, theme) as context:
                page = context.new_page()
                page.goto(f"{asked.url}/login")
                _save(page, asked.out / f"login-{size}-{theme}.png", asked.full)
                sign_in(page, asked.url, asked.user, asked.password)
                for name in asked.page:
                    page.goto(asked.url + (PAGES[name] or _first_market(page, asked.url)))
                    _save(page, asked.out / f"{name}-{size}-{theme}.png", asked.full)


def _first_market(page: Page, url: str) -> str:
    page.goto(f"{url}/markets/")
    return page.locator("#rows .title a").first.get_attribute("href") or "/markets/"


def _save(page: Page, path: Path, full: bool) -> None:
    page.wait_for_load_state("load")
    page.wait_for_timeout(900)  # charts draw after load
    page.screenshot(path=path, full_page=full)
    print(path)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--url", default="http://127.0.0.1:8600")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--page", nargs="*", choices=PAGES, default=list(PAGES))
    parser.add_argument("--size", nargs="*", choices=SIZES, default=list(SIZES))
    parser.add_argument("--theme", nargs="*", choices=THEMES, default=list(THEMES))
    parser.add_argument("--full", action="store_true", help="the whole page, not the first screen")
    return parser.parse_args()


if __name__ == "__main__":
    main()
