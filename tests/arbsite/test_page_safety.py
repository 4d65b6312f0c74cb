"""No page runs what a venue wrote, or loads what is not ours."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.browser.desk import HOSTILE, furnish

pytestmark = pytest.mark.django_db

LOADING = {"script": "src", "link": "href", "img": "src", "use": "href", "iframe": "src"}


class Page(HTMLParser):
    """What a browser would run or load from a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        is_data = (values.get("type") or "").endswith("json")
        if tag == "script" and not values.get("src") and not is_data:
            self.faults.append("inline script")
        self.faults += [f"{tag} {name}" for name in values if name.startswith(("on", "hx-on"))]
        if (values.get("href") or "").strip().lower().startswith("javascript:"):
            self.faults.append("javascript: address")
        loaded = values.get(LOADING.get(tag, "")) or ""
        if urlsplit(loaded).netloc:
            self.faults.append(f"{tag} from {loaded}")
        if tag == "style":
            self.faults.append("inline style sheet")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def desk() -> Client:
    """A superuser at a desk that holds hostile titles, rules, facts, revisions and incidents."""
    furnish()
    client = Client()
    client.force_login(User.objects.get(username="admin"))
    return client


def _addresses() -> list[str]:
    pages = ["markets", "health", "scope", "scope_lines", "incident_banner", "admin:index"]
    models = [model._meta for model in admin.site._registry]
    return [
        *(reverse(name) for name in pages),
        *(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist") for meta in models),
        reverse("admin:markets_scope_add"),
        reverse("market", args=["KALSHI:KXFED-26DEC-H0"]),
        reverse("market", args=["POLY:0xodd0"]),
        reverse("markets") + "?q=%3Cscript%3Ealert(1)%3C/script%3E&status=all",
        reverse("scope_preview") + "?dimension=days&value=%3Cscript%3Ealert(1)%3C/script%3E",
        "/no/such/page",
    ]


def test_pages_run_and_load_only_our_own_files(desk: Client) -> None:
    faults = {}
    for address in _addresses():
        answer = desk.get(address)
        assert answer.status_code in (200, 404), address
        faults[address] = Page(answer.content.decode()).faults
    assert {address: found for address, found in faults.items() if found} == {}


def test_signed_out_pages_run_and_load_only_our_own_files(client: Client) -> None:
    for name in ("login", "admin:login"):
        assert Page(client.get(reverse(name)).content.decode()).faults == []


@pytest.mark.parametrize("name", ["markets", "health", "market"])
def test_hostile_text_is_shown_as_it_was_written(name: str, desk: Client) -> None:
    address = reverse(name, args=["POLY:0xodd0"] if name == "market" else None)
    answer = desk.get(address + "?status=all")
    assert HOSTILE in "".join(Page(answer.content.decode()).words)


def test_the_policy_lets_no_foreign_or_inline_script_run(client: Client) -> None:
    policy = client.get(reverse("login"))["Content-Security-Policy"]
    rules = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert rules.get("script-src", rules["default-src"]) == "'self'"
    assert rules["frame-ancestors"] == "'none'" and rules["object-src"] == "'none'"
    assert "http" not in policy and "*" not in policy and "unsafe-eval" not in policy


def test_answers_carry_the_security_headers(client: Client) -> None:
    answer = client.get(reverse("login"))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert settings.SESSION_COOKIE_HTTPONLY


def test_a_foreign_address_given_by_a_venue_is_not_linked_as_a_script(desk: Client) -> None:
    from markets.models import Market

    Market.objects.filter(key="POLY:0xodd0").update(url="javascript:alert(1)")
    text = desk.get(reverse("market", args=["POLY:0xodd0"])).content.decode()
    assert "javascript:" not in text


NUL = [
    "/markets/%00/",
    "/markets/KALSHI:A%00/chart.json?hours=24",
    "/api/markets/%00/",
    "/api/markets/?q=%00",
    "/markets/?q=%00",
    "/scope/preview/?dimension=series&value=%00",
    "/admin/markets/market/?q=a%00",
    "/static/%00.js",
    "/login?next=%00",
]


@pytest.mark.parametrize("address", NUL)
@pytest.mark.parametrize("is_known", [True, False])
def test_nul_in_an_address_is_refused_before_anything_reads_it(
    client: Client, address: str, is_known: bool
) -> None:
    if is_known:
        client.force_login(User.objects.create_superuser("root"))
    answer = client.get(address)
    assert answer.status_code == 400
    for name in ("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options"):
        assert name in answer, name
    assert Page(answer.content.decode()).faults == []


def test_an_escaped_percent_sign_is_no_nul(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    assert client.get("/markets/?q=%2500").status_code == 200


def test_nul_in_a_form_is_refused(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    line = {"action": "watch", "dimension": "series", "value": "a\x00b"}
    assert client.post(reverse("scope_add"), line).status_code == 422
    assert client.post(reverse("scope_preset"), {"name": "\x00"}).status_code == 404
    assert client.post(reverse("admin:markets_scope_add"), line).status_code == 200
