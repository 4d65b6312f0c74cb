"""Recorded responses become the rows that live collecting would have left on their date."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from markets.models import LatestBook, Market, Outcome, Quote

pytestmark = pytest.mark.django_db


def sync(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, object]:
    call_command("sync", "--from", str(folder), "--json", *more)
    found: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_two_venues_of_one_evening_are_stored_as_of_that_evening(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = sync(recordings / "two-venue-iran-2026-03", capsys)
    assert found["venues"] == {
        "kalshi": {"markets": 763, "events": 38, "refused": 0},
        "polymarket": {"markets": 239, "events": 34, "refused": 3},
    }
    kalshi = Market.objects.filter(venue="kalshi")
    assert kalshi.filter(venue_status="active").count() == 565
    assert kalshi.filter(venue_status="finalized").count() == 198
    assert kalshi.filter(result="scalar").count() == 11
    assert {str(at.date())[:7] for at in Market.objects.values_list("received_at", flat=True)} == {
        "2026-03"
    }
    assert not Quote.objects.filter(bid__gte=1).exists()


def test_the_same_folder_twice_changes_nothing(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = recordings / "two-venue-verified-pairs-tinli"
    first = sync(folder, capsys)
    before = (Market.objects.count(), Outcome.objects.count(), Quote.objects.count())
    assert sync(folder, capsys)["venues"] == first["venues"]
    assert (Market.objects.count(), Outcome.objects.count(), Quote.objects.count()) == before


def test_books_recorded_beside_their_markets_are_joined_to_them(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sync(recordings / "two-venue-verified-pairs-tinli", capsys)
    books = LatestBook.objects.select_related("outcome__market")
    assert {book.outcome.market.venue_id for book in books} == {"kalshi", "polymarket"}
    assert all(book.outcome.index == 0 for book in books)


def test_as_of_overrides_the_recorded_time(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sync(recordings / "two-venue-iran-2026-03", capsys, "--as-of", "2026-03-02T12:00:00Z")
    assert Market.objects.values_list("received_at", flat=True).distinct().count() == 1
    assert Market.objects.all()[0].received_at.isoformat() == "2026-03-02T12:00:00+00:00"


def test_a_folder_that_is_not_there_is_a_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no such file") as caught:
        call_command("sync", "--from", str(tmp_path / "nowhere"))
    assert caught.value.returncode == 2


def test_recordings_never_go_into_a_collecting_dataset(tmp_path: Path, settings) -> None:
    settings.DATASET = "demo"
    with pytest.raises(CommandError, match="DATASET=recorded"):
        call_command("sync", "--from", str(tmp_path))
