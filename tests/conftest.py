"""What all tests share: recordings, the clock put back, the closing table."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from arbsite import clock

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "recordings"
LEFT_OUT = "recordings: left out (RECORDINGS_DIR unset and no shared/recordings beside the project)"
TABLES: list[str] = []


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings; a test that needs it says so in the summary without it."""
    named = os.environ.get("RECORDINGS_DIR")
    if named:
        assert Path(named).is_dir(), f"RECORDINGS_DIR={named} is not a folder"
        return Path(named)
    if _BESIDE.is_dir():
        return _BESIDE
    TABLES.append(LEFT_OUT)
    pytest.skip(LEFT_OUT)


@pytest.fixture(autouse=True)
def _running_clock() -> Iterator[None]:
    yield
    clock.settle(None)


@pytest.fixture(autouse=True)
def _fresh_partitions() -> Iterator[None]:
    """A rolled-back test takes its partitions with it; the process must not remember them."""
    from markets.writing.partitions import forget

    yield
    forget()


@pytest.fixture
def seeded(transactional_db: None) -> None:
    """The first migration's rows again: a test with real transactions finds the tables empty."""
    from markets.models import CategoryMap, Venue
    from markets.seeds import CATEGORY_WORDS, VENUE_ROWS

    with connection.cursor() as cursor:  # a flush leaves tables that Django does not manage
        cursor.execute("TRUNCATE markets_quote, markets_booksnapshot")
    for slug, label, site, _ in VENUE_ROWS:
        Venue.objects.get_or_create(slug=slug, defaults={"label": label, "site": site})
    CategoryMap.objects.bulk_create(
        (
            CategoryMap(venue_id=venue, venue_category=word, category=category)
            for venue, words in CATEGORY_WORDS.items()
            for category, venue_words in words.items()
            for word in venue_words
        ),
        ignore_conflicts=True,
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tables that tests want a person to read."""
    for table in dict.fromkeys(TABLES):
        terminalreporter.write_line(table)
