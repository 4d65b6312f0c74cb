"""How collecting goes, from rows to words: one sheet a venue, one line a process.

Colours follow from the words: `good` collects as it should, `warn` needs an eye, `bad` is not
working, `off` was switched off by a person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from arbsite import clock
from markets.freshness import markets_seconds
from markets.models import (
    BreakerState,
    CollectionRun,
    ComponentHealth,
    Gap,
    Incident,
    MarketRank,
    Venue,
)
from markets.venues.limits import budget

#: The strip of runs: how many, and of which job.
STRIP, STRIP_JOB = 40, "quotes"
#: A process that was silent this long (wall seconds) is down; rows come each minute.
SILENT_S = 150
_SEVERE = (Incident.Tier.IMPORTANT, Incident.Tier.CRITICAL, Incident.Tier.EMERGENCY)


@dataclass(frozen=True)
class RunMark:
    """A run as one mark of the strip."""

    state: str
    says: str


@dataclass(frozen=True)
class JobLine:
    """The newest run of one job. `says` is what it stored, or what went wrong."""

    job: str
    run: CollectionRun
    state: str
    says: str


@dataclass(frozen=True)
class VenueSheet:
    """Everything Data health shows of a venue."""

    venue: Venue
    state: str
    reasons: tuple[str, ...]
    markets: int
    tracked: int
    last_good: datetime | None
    lag_s: float | None
    jobs: tuple[JobLine, ...]
    strip: tuple[RunMark, ...]
    budgets: tuple[dict[str, Any], ...]
    breaker: BreakerState | None
    traffic: dict[str, Any]
    gaps: tuple[Gap, ...]
    pause: dict[str, Any] | None


@dataclass(frozen=True)
class ProcessLine:
    """A process by name; `alive` counts its running copies."""

    name: str
    state: str
    says: str
    alive: int
    heard_s: float
    figures: dict[str, Any]


def venue_sheets(now: datetime) -> list[VenueSheet]:
    """One sheet for each venue, in the order of their names."""
    counts: dict[str, Any] = {
        row["venue_id"]: row
        for row in MarketRank.objects.values("venue_id").annotate(
            markets=Count("pk"), tracked=Count("pk", filter=Q(is_tracked=True))
        )
    }
    breakers = {row.venue_id: row for row in BreakerState.objects.filter(domain="data")}
    return [
        _sheet(venue, counts.get(venue.slug, {}), breakers.get(venue.slug), now)
        for venue in Venue.objects.all()
    ]


def _sheet(
    venue: Venue, counts: dict[str, int], breaker: BreakerState | None, now: datetime
) -> VenueSheet:
    newest = CollectionRun.objects.filter(venue=venue).exclude(finished_at=None)
    latest = list(newest.order_by("job", "-started_at").distinct("job"))
    runs = list(newest.filter(job=STRIP_JOB).order_by("-started_at")[:STRIP])
    good = newest.filter(is_complete=True, errors=[]).exclude(job="status").first()
    pause = _next_pause(venue.pauses, now)
    state, reasons = _verdict(venue, good, latest, breaker, pause, now)
    return VenueSheet(
        venue=venue,
        state=state,
        reasons=tuple(reasons),
        markets=counts.get("markets", 0),
        tracked=counts.get("tracked", 0),
        last_good=good.finished_at if good else None,
        lag_s=next((run.lag_s for run in runs if run.lag_s is not None), None),
        jobs=tuple(_job(run) for run in latest),
        strip=tuple(RunMark(_run_state(run), _run_says(run)) for run in reversed(runs)),
        budgets=tuple(budget(venue.slug)),
        breaker=breaker,
        traffic=_traffic(venue, now),
        gaps=tuple(Gap.objects.filter(venue=venue, repaired_at=None)[:4]),
        pause=pause,
    )


def _verdict(
    venue: Venue,
    good: CollectionRun | None,
    latest: Sequence[CollectionRun],
    breaker: BreakerState | None,
    pause: dict[str, Any] | None,
    now: datetime,
) -> tuple[str, list[str]]:
    if not venue.is_enabled:
        return "off", ["Switched off by a person"]
    bad, warn = _troubles(venue, good, breaker, now)
    warn += [f"{run.job}: {_run_says(run)}" for run in latest if run.errors]
    if pause and pause["is_now"]:
        warn.append(f"Announced pause: {pause['reason']}")
    severe = Incident.objects.open().filter(venue=venue, tier__in=_SEVERE).count()
    if severe:
        warn.append(f"{severe} open incident{'s' if severe > 1 else ''} of weight")
    state = "bad" if bad else "warn" if warn else "good"
    return state, bad + warn or ["Collecting as it should"]


def _troubles(
    venue: Venue, good: CollectionRun | None, breaker: BreakerState | None, now: datetime
) -> tuple[list[str], list[str]]:
    bad: list[str] = []
    warn: list[str] = []
    if breaker is not None and breaker.state != BreakerState.State.CLOSED:
        says = f"Breaker {breaker.get_state_display().lower()}: {breaker.reason}"
        (bad if breaker.state == BreakerState.State.OPEN else warn).append(says)
    if venue.is_up is False:
        bad.append(f"The venue says it is down {venue.status_note}".strip())
    elif venue.is_trading is False:
        warn.append(f"The venue says trading is paused {venue.status_note}".strip())
    if good is None or good.finished_at is None:
        warn.append("No run has succeeded yet")
    elif now - good.finished_at > timedelta(seconds=3 * markets_seconds()):
        bad.append("No run has succeeded for three intervals")
    return bad, warn


def _job(run: CollectionRun) -> JobLine:
    return JobLine(run.job, run, _run_state(run), _run_says(run))


def _run_state(run: CollectionRun) -> str:
    if run.errors:
        return "bad"
    return "good" if run.is_complete and not run.refused else "warn"


def _run_says(run: CollectionRun) -> str:
    if run.errors:
        return str(run.errors[0])
    counts = run.counts.items()
    parts = [_counted(name, count) for name, count in counts if count or name.startswith("is_")]
    if run.refused:
        parts.append(f"{run.refused:,} refused")
    if not run.is_complete:
        parts.append("not complete")
    return ", ".join(parts) or "nothing new"


def _counted(name: str, count: int) -> str:
    """`is_up` counts yes as 1; everything else is so many of something."""
    words = name.removeprefix("is_").replace("_", " ")
    if name.startswith("is_"):
        return words if count else f"not {words}"
    if words.endswith(" changed"):
        words = f"changed {words.removesuffix(' changed')}"
    return f"{count:,} {words}"


def _next_pause(pauses: Iterable[dict[str, str]], now: datetime) -> dict[str, Any] | None:
    """The announced pause that is on or comes next."""
    windows: list[dict[str, Any]] = [
        {
            "start": datetime.fromisoformat(pause["start"]),
            "end": datetime.fromisoformat(pause["end"]),
            "reason": pause.get("reason", ""),
        }
        for pause in pauses
    ]
    ahead = sorted((w for w in windows if w["end"] > now), key=lambda w: w["start"])
    return ahead[0] | {"is_now": ahead[0]["start"] <= now} if ahead else None


def _traffic(venue: Venue, now: datetime) -> dict[str, Any]:
    """Requests of all processes to the venue over the last five minutes (app time)."""
    rows = ComponentHealth.objects.filter(venue=venue, minute__gt=now - timedelta(minutes=5))
    figures = list(rows.values_list("figures", flat=True))
    total = {
        name: sum(int(row.get(name) or 0) for row in figures)
        for name in ("requests", "retries", "limited")
    }
    slowest = [float(row["p95_ms"]) for row in figures if row.get("p95_ms")]
    return total | {"p95_ms": max(slowest, default=None)}


def process_lines(now: datetime) -> list[ProcessLine]:
    """Processes heard of in the last day, by the part of their name before the host."""
    recent = ComponentHealth.objects.filter(minute__gt=now - timedelta(days=1))
    newest = recent.order_by("component", "-received_at").distinct("component")
    groups: dict[str, list[ComponentHealth]] = {}
    for row in newest:
        groups.setdefault(row.component.partition("@")[0], []).append(row)
    return [_process(name, rows, now) for name, rows in sorted(groups.items())]


def _process(name: str, rows: list[ComponentHealth], now: datetime) -> ProcessLine:
    def heard(row: ComponentHealth) -> float:
        return clock.wall_seconds(max(0.0, (now - row.received_at).total_seconds()))

    rows = sorted(rows, key=heard, reverse=True)
    fresh = [row for row in rows if heard(row) <= SILENT_S]
    state, says = _condition(fresh)
    figures = {
        key.replace("_", " "): value
        for row in fresh or rows[-1:]
        for key, value in row.figures.items()
        if isinstance(value, str | int | float)
    }
    alive = _copies(fresh) if state == "good" else 0
    return ProcessLine(name, state, says, alive, heard(rows[-1]), figures)


def _condition(fresh: list[ComponentHealth]) -> tuple[str, str]:
    """Alive, silent, or in the word of its supervisor, which goes on reporting one that is not up.

    A process that restarts was heard of under its number just before: the supervisor knows better.
    """
    if not fresh:
        return "bad", "silent"
    told = [str(row.figures.get("state", "up")) for row in fresh if "@" not in row.component]
    if not told or told[-1] == "up":
        return "good", "alive"
    return ("bad" if told[-1] == "down" else "warn"), told[-1]


def _copies(fresh: list[ComponentHealth]) -> int:
    """Running copies: those with a number; one that only its supervisor speaks of counts as one."""
    return sum("@" in row.component for row in fresh) or len(fresh)


def open_incidents() -> list[Incident]:
    """Open incidents, the gravest first."""
    order = {tier: place for place, tier in enumerate(reversed(Incident.Tier.values))}
    rows = Incident.objects.open().select_related("venue")[:100]
    return sorted(rows, key=lambda row: (order[row.tier], -row.last_seen.timestamp()))
