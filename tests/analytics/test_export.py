"""Exports are whole or absent, exact, and readable by other programs."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from pathlib import Path

import duckdb
import pytest
from django.core.management import CommandError, call_command

from analytics.export import TABLES, ExportError, export_table
from markets.models import CollectionRun, Market
from markets.quotes import MarketInfo, OutcomeInfo, PriceRange, Quote, Status
from markets.writing import QuoteRow, write_markets, write_quotes
from markets.writing.listings import outcome_ids

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _rows() -> None:
    market = MarketInfo(
        venue="kalshi",
        ref="KX-1",
        title='A "quoted", title\nof two lines',
        status=Status.OPEN,
        outcomes=(OutcomeInfo(0, "Yes"),),
        price_ranges=(PriceRange(D(0), D(1), D("0.01")),),
        received_at=NOW,
    )
    write_markets([market], lambda venue, word: "other")
    outcome_id, _ = outcome_ids([market.key])[market.key]
    write_quotes(
        QuoteRow(
            outcome_id,
            Quote("kalshi", "KX-1", NOW + timedelta(hours=n), D("0.4") + D(n) / 100, D("0.60")),
        )
        for n in range(3)
    )
    CollectionRun.objects.create(venue_id="kalshi", job="markets", counts={"markets": 1})


def test_csv_holds_exact_decimals_and_utc_times(tmp_path: Path) -> None:
    path = tmp_path / "quotes.csv"
    assert export_table("quotes", path) == 3
    rows = list(csv.DictReader(path.open(newline="", encoding="utf-8")))
    assert rows[1]["bid"] == "0.410000"
    assert rows[1]["received_at"] == "2026-11-20 13:00:00+00"
    assert rows[1]["market"] == "KALSHI:KX-1"


def test_parquet_has_declared_types(tmp_path: Path) -> None:
    path = tmp_path / "quotes.parquet"
    assert export_table("quotes", path) == 3
    found = duckdb.sql(f"SELECT sum(bid), typeof(any_value(bid)) FROM '{path}'").fetchall()
    assert found[0] == (D("1.23"), "DECIMAL(12,6)")


@pytest.mark.parametrize("name", list(TABLES))
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_every_table_can_be_written_in_every_format(tmp_path: Path, name: str, ending: str) -> None:
    assert export_table(name, tmp_path / f"{name}.{ending}") >= 1


def test_a_range_includes_its_start_and_not_its_end(tmp_path: Path) -> None:
    end = NOW + timedelta(hours=2)
    assert export_table("quotes", tmp_path / "q.csv", NOW + timedelta(hours=1), end) == 1


@pytest.mark.parametrize(("name", "file"), [("orders", "x.csv"), ("quotes", "x.xlsx")])
def test_what_cannot_be_exported_is_refused_with_what_can(
    tmp_path: Path, name: str, file: str
) -> None:
    with pytest.raises(ExportError, match="allowed"):
        export_table(name, tmp_path / file)


def test_a_failed_export_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("analytics.export._to_parquet", full)
    with pytest.raises(ExportError, match="No space left"):
        export_table("quotes", tmp_path / "quotes.parquet")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_all_tables(tmp_path: Path) -> None:
    call_command("export", "all", "--out", str(tmp_path), "--format", "parquet")
    assert {p.name for p in tmp_path.iterdir()} == {f"{name}.parquet" for name in TABLES}


def test_the_command_reports_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="file"):
        call_command("export", "runs", "--out", str(tmp_path / "file"))


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    call_command("export", "all", "--out", str(tmp_path / "out"), "--dry-run")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_spreadsheet_runs_no_cell_of_a_csv(tmp_path: Path, start: str) -> None:
    Market.objects.update(title=f"{start}1+1", subtitle="", settlement_value=D(-1))
    export_table("markets", tmp_path / "m.csv")
    (row,) = csv.DictReader((tmp_path / "m.csv").open(newline="", encoding="utf-8"))
    assert row["title"] == f"'{start}1+1" and row["subtitle"] == ""
    assert row["settlement_value"] == "-1.000000"


def test_parquet_keeps_text_as_it_is(tmp_path: Path) -> None:
    Market.objects.update(title="=1+1")
    export_table("markets", tmp_path / "m.parquet")
    found = duckdb.sql(f"SELECT title FROM '{tmp_path / 'm.parquet'}'").fetchall()
    assert found == [("=1+1",)]
