"""A live desk with rows on it, and a browser to look at it. No Chromium is a failure."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, Page

from tests.browser.chromium import NoChromium, browsing, find_chromium
from tests.browser.desk import furnish


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser."""
    try:
        return find_chromium()
    except NoChromium as problem:
        pytest.fail(str(problem))


@pytest.fixture
def desk(
    transactional_db: None,
    live_server: object,
    chromium: str,
    monkeypatch: pytest.MonkeyPatch,
    settings: object,
) -> str:
    """The address of a running, furnished desk whose pages refresh every second."""
    for page in ("markets", "detail", "health"):
        monkeypatch.setattr(f"markets.views.{page}.REFRESH_SECONDS", 1)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
    furnish()
    return live_server.url


class Watched:
    """A page whose console is listened to."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        self.page.on("requestfailed", self._failed)

    def _heard(self, message: object) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _failed(self, request: object) -> None:
        if request.failure != "net::ERR_ABORTED":  # a request given up by leaving the page
            self.complaints.append(f"{request.url}: {request.failure}")

    def width_beyond_screen(self) -> int:
        """Pixels by which the page can be scrolled sideways."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )


@pytest.fixture
def look(desk: str, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A signed-in superuser's page; parametrize indirectly with (size, theme)."""
    size, theme = getattr(request, "param", ("desktop", "light"))
    with browsing(size, theme) as context:
        watched = Watched(context)
        client = Client()
        client.force_login(User.objects.get(username="admin"))
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": desk}])
        yield watched
