"""Every page in a real browser: desktop and phone, light and dark, mouse and keyboard."""

import os

import pytest
from playwright.sync_api import TimeoutError, expect

from markets.models import Incident, LatestQuote, Market, Scope
from tests.browser.chromium import SIZES, THEMES, NoChromium, find_chromium, sign_in
from tests.browser.conftest import Watched
from tests.browser.desk import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

# Playwright keeps an event loop on this thread; Django's own guard would see it in fixtures.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

KEY = "KALSHI:KXFED-26DEC-H0"
PAGES = (
    "/markets/",
    "/markets/?q=nothing+fits+this",
    f"/markets/{KEY}/",
    "/markets/POLY:0xodd0/",
    "/markets/POLY:0xlong/",
    "/health/",
    "/scope/",
    "/admin/",
    "/admin/markets/market/",
    "/admin/markets/scope/add/",
    "/admin/django_celery_beat/periodictask/",
)
LOOKS = [(size, theme) for size in SIZES for theme in THEMES]


@pytest.mark.parametrize("look", LOOKS, indirect=True, ids="-".join)
def test_every_page_is_quiet_and_fits_the_screen(look: Watched, desk: str) -> None:
    wide = {}
    for address in PAGES:
        look.page.goto(desk + address)
        look.page.wait_for_load_state("load")
        look.page.wait_for_timeout(400)  # charts and counts come after
        if look.width_beyond_screen() > 0:
            wide[address] = look.width_beyond_screen()
    assert look.complaints == []
    assert wide == {}


@pytest.mark.parametrize("look", [("phone", "light")], indirect=True)
def test_on_a_phone_what_is_pressed_is_large_enough(look: Watched, desk: str) -> None:
    small = []
    for address in ("/markets/", "/health/", "/scope/"):
        look.page.goto(desk + address)
        for control in look.page.locator("button:visible, select:visible, .nav a:visible").all():
            box = control.bounding_box()
            if box and box["height"] < 34:
                small.append((address, control.inner_text(), box["height"]))
    assert small == []


@pytest.mark.parametrize("look", [("phone", "dark")], indirect=True)
def test_the_menu_opens_and_closes_on_a_phone(look: Watched, desk: str) -> None:
    page = look.page
    link = page.get_by_role("navigation", name="Pages").get_by_role("link", name="Scope")
    page.goto(f"{desk}/markets/")
    expect(link).not_to_be_visible()
    page.click("#menu")
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).not_to_be_visible()
    page.click("#menu")
    link.click()
    page.wait_for_url(f"{desk}/scope/")


def test_the_keyboard_reaches_a_market_by_the_skip_link(look: Watched, desk: str) -> None:
    page = look.page
    page.goto(f"{desk}/markets/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('#rows .title') !== null"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "focus cannot be seen"
    page.keyboard.press("Enter")
    page.wait_for_url("**/markets/*/")


def test_a_search_fills_the_list_and_the_address(look: Watched, desk: str) -> None:
    page = look.page
    page.goto(f"{desk}/markets/")
    page.keyboard.press("/")
    page.keyboard.type("bitc", delay=20)
    expect(page.locator("#rows tr")).to_have_count(2)
    assert "q=bitc" in page.url
    page.select_option("#id_venue", "polymarket")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.go_back()
    page.wait_for_load_state()
    expect(page.locator("#rows tr")).to_have_count(2)
    assert look.complaints == []


def test_prices_refresh_without_losing_focus_or_place(look: Watched, desk: str) -> None:
    page, market = look.page, Market.objects.get(key=KEY)
    page.set_viewport_size({"width": 1440, "height": 500})
    page.goto(f"{desk}/markets/")
    page.focus(f"#m{market.pk}")
    page.mouse.wheel(0, 220)
    page.wait_for_timeout(200)
    place = page.evaluate("scrollY")
    LatestQuote.objects.filter(outcome__market=market).update(bid="0.610")
    expect(page.locator(f"#b{market.pk}")).to_have_text("61.0", timeout=15_000)
    assert page.evaluate("document.activeElement.id") == f"m{market.pk}"
    assert page.evaluate("scrollY") == place > 0
    assert "fell" in page.locator(f"#b{market.pk}").get_attribute("class")


def test_the_chart_is_drawn_and_redrawn_for_span_and_theme(look: Watched, desk: str) -> None:
    page = look.page
    page.goto(f"{desk}/markets/{KEY}/")
    expect(page.locator("#chart .scatterlayer .trace")).to_have_count(3)
    expect(page.locator("#chart")).to_contain_text("not collected")
    light = page.locator("#chart .scatterlayer .trace path.js-line").last.get_attribute("style")
    page.get_by_role("button", name="7 d").click()
    expect(page.get_by_role("button", name="7 d")).to_have_attribute("aria-pressed", "true")
    page.click("#theme")  # system (light) → light
    page.click("#theme")  # light → dark
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.locator("#chart .scatterlayer .trace path.js-line").last.get_attribute("style")
    assert light != dark
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert look.complaints == []


def test_a_market_without_prices_says_so_where_the_chart_would_be(look: Watched, desk: str) -> None:
    look.page.goto(f"{desk}/markets/POLY:0xlong/")
    expect(look.page.locator("#chart")).to_contain_text("No prices are known")


def test_times_stand_in_utc_with_the_viewers_zone_beside(look: Watched, desk: str) -> None:
    look.page.goto(f"{desk}/markets/{KEY}/")
    expect(look.page.locator("#book time + .local").first).to_contain_text("EST")
    expect(look.page.locator("#book time").first).to_contain_text("UTC")


def test_an_incident_is_resolved_with_a_toast(look: Watched, desk: str) -> None:
    page = look.page
    page.goto(f"{desk}/health/")
    expect(page.locator("#alarm")).to_contain_text("have not moved")
    page.locator(".incidents li", has_text="have not moved").get_by_role(
        "button", name="Resolve"
    ).click()
    expect(page.locator(".toast")).to_contain_text("Incident resolved")
    expect(page.locator("#alarm")).not_to_contain_text("have not moved")
    assert Incident.objects.exclude(resolved_at=None).get().resolved_by == "admin"


def test_a_scope_line_is_previewed_added_and_removed(look: Watched, desk: str) -> None:
    page = look.page
    page.goto(f"{desk}/scope/")
    page.fill("#id_value", "bitcoin")
    expect(page.locator("#preview")).to_contain_text("Touches 2 live markets")
    page.click("text=Add line")
    expect(page.locator(".toast")).to_contain_text("Added: Watch bitcoin")
    row = page.locator("#lines tr", has_text="bitcoin")
    expect(row.locator("td.num")).to_have_text("2")
    row.get_by_role("button", name="Remove").click()
    expect(page.locator("#lines tr", has_text="bitcoin")).to_have_count(0)
    assert not Scope.objects.filter(value="bitcoin").exists()


def test_a_desk_that_stops_answering_says_since_when(look: Watched, desk: str) -> None:
    page = look.page
    page.goto(f"{desk}/markets/")
    page.route("**/markets/**", lambda route: route.abort())
    expect(page.locator("#lost")).to_be_visible(timeout=15_000)
    page.unroute("**/markets/**")
    expect(page.locator("#lost")).not_to_be_visible(timeout=15_000)


def test_signed_out_elsewhere_leads_to_the_login_page(look: Watched, desk: str) -> None:
    page = look.page
    page.goto(f"{desk}/markets/")
    page.context.clear_cookies()
    page.wait_for_url("**/login?next=**", timeout=20_000)


def test_a_wrong_password_is_said_and_a_right_one_opens_the_desk(look: Watched, desk: str) -> None:
    look.page.context.clear_cookies()
    with pytest.raises(TimeoutError):
        sign_in(look.page, desk, "viewer", "wrong", patience_ms=1500)
    expect(look.page.get_by_role("alert")).to_contain_text("do not match")
    sign_in(look.page, desk, "viewer", PASSWORD)
    expect(look.page.locator(".who")).to_contain_text("viewer")


def test_without_chromium_the_reason_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoChromium, match="apt-get install chromium"):
        find_chromium()
