"""The breaker of a venue as a row that all processes share."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from arbsite import clock
from markets import incidents
from markets.calc import breaker as rules
from markets.calc.breaker import Breaker
from markets.models import BreakerState, Venue
from markets.venues.base import VenueError

log = logging.getLogger(__name__)
REMEMBERED_SECONDS = 1.0


class VenueBreaker:
    """What `VenueHttp` asks before a call and tells after it."""

    def __init__(self, slug: str, domain: str = "data") -> None:
        self.slug = slug
        self.domain = domain
        self._seen = Breaker()
        self._seen_until = 0.0
        self._is_probing = False

    def before(self) -> None:
        """Returns when the venue may be asked; raises VenueError while the breaker is open."""
        breaker = self._look()
        if breaker.state == rules.CLOSED:
            return
        if rules.may_probe(breaker, clock.wall_now()) and self._claim(breaker):
            self._is_probing = True
            return
        until = f"{breaker.retry_at:%H:%M:%S} UTC" if breaker.retry_at else "a person looks"
        raise VenueError(f"{self.slug}: left alone after repeated failures until {until}")

    def success(self) -> None:
        """An answer came: the probe's closes the breaker, others cost nothing."""
        if self._is_probing:
            self._is_probing = False
            self._change(lambda breaker, now: rules.succeeded(breaker), "answered again")

    def failure(self, kind: str) -> None:
        """A call was given up; `kind` becomes the reason that pages show."""
        self._is_probing = False
        self._change(rules.failed, kind)

    def _look(self) -> Breaker:
        if time.monotonic() >= self._seen_until:
            try:
                row = self._rows().first()
            except DatabaseError as problem:
                log.warning("%s: breaker row unread: %s", self.slug, problem)
                return self._seen
            self._remember(value_of(row) if row else Breaker())
        return self._seen

    def _remember(self, breaker: Breaker) -> None:
        self._seen = breaker
        self._seen_until = time.monotonic() + REMEMBERED_SECONDS

    def _claim(self, seen: Breaker) -> bool:
        """Exactly one process becomes the probe: the row must still be as it was seen."""
        now = clock.wall_now()
        probe = rules.probing(seen, now)
        rows = self._rows().filter(state=seen.state, retry_at=seen.retry_at)
        won = rows.update(state=probe.state, retry_at=probe.retry_at, changed_at=now) == 1
        self._seen_until = 0.0
        return won

    def _change(self, rule: Callable[[Breaker, datetime], Breaker], reason: str) -> None:
        """Applies a rule under the row's lock and keeps what came of it."""
        now = clock.wall_now()
        try:
            with transaction.atomic():
                venue, _ = Venue.objects.get_or_create(
                    slug=self.slug, defaults={"label": self.slug.title()}
                )
                BreakerState.objects.get_or_create(venue=venue, domain=self.domain)
                row = self._rows().select_for_update().get()
                before = value_of(row)
                after = rule(before, now)
                if after != before:
                    _write(row, after, reason, now)
        except DatabaseError as problem:
            log.warning("%s: breaker row unwritten: %s", self.slug, problem)
            return
        self._remember(after)
        if after.state != before.state:
            self._tell(after, reason)

    def _tell(self, breaker: Breaker, reason: str) -> None:
        """An open breaker is an incident until an answer closes it."""
        log.warning("%s %s breaker: %s (%s)", self.slug, self.domain, breaker.state, reason)
        if breaker.state == rules.CLOSED:
            incidents.resolve("breaker", self.domain, "breaker", venue=self.slug)
            return
        text = f"{self.slug} is left alone for {breaker.cooldown.total_seconds():.0f} s: {reason}"
        tier = incidents.Tier.IMPORTANT
        incidents.report("breaker", text, tier=tier, venue=self.slug, about=self.domain)

    def _rows(self) -> "QuerySet[BreakerState]":
        return BreakerState.objects.filter(venue_id=self.slug, domain=self.domain)


def value_of(row: BreakerState) -> Breaker:
    """A row as the value that the rules speak of."""
    return Breaker(
        state=row.state,
        failures=tuple(datetime.fromisoformat(text) for text in row.failures),
        cooldown=timedelta(seconds=row.cooldown_s),
        opened_at=row.opened_at,
        retry_at=row.retry_at,
    )


def _write(row: BreakerState, breaker: Breaker, reason: str, now: datetime) -> None:
    row.state = breaker.state
    row.failures = [at.isoformat() for at in breaker.failures]
    row.cooldown_s = breaker.cooldown.total_seconds()
    row.opened_at = breaker.opened_at
    row.retry_at = breaker.retry_at
    row.reason = "" if breaker.state == rules.CLOSED and not breaker.failures else reason[:300]
    row.changed_at = now
    row.save()
