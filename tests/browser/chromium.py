"""One way to start the browser, for tests and screenshots alike."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, Page, sync_playwright

BINARIES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")


class NoChromium(Exception):
    """There is no browser; says what to install."""


def find_chromium() -> str:
    """The path of an installed Chromium. Raises NoChromium."""
    for name in BINARIES:
        path = shutil.which(name)
        if path:
            return path
    raise NoChromium("no Chromium found: install it (Debian, Ubuntu: apt-get install chromium)")


@contextmanager
def browsing(size: str, theme: str) -> Iterator[BrowserContext]:
    """A fresh profile at one of SIZES in one of THEMES (as the system's)."""
    width, height = SIZES[size]
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as profile:
        context = driver.chromium.launch_persistent_context(
            profile,
            executable_path=find_chromium(),
            args=list(ARGUMENTS),
            headless=True,
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            has_touch=size == "phone",
            is_mobile=size == "phone",
            timezone_id="America/New_York",
            device_scale_factor=2 if size == "phone" else 1,
        )
        try:
            yield context
        finally:
            context.close()


def sign_in(page: Page, url: str, name: str, password: str, patience_ms: float = 20_000) -> None:
    """Through the login form, as a person would. Raises TimeoutError when it stays there."""
    page.goto(f"{url}/login")
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    page.click("button:has-text('Sign in')")
    page.wait_for_url(lambda address: "/login" not in address, timeout=patience_ms)
