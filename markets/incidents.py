"""Something a person should know becomes a row: one open row a matter, repeats counted on it."""

import hashlib

from django.db import IntegrityError, transaction
from django.db.models import F

from arbsite import clock
from markets.models import Incident

Tier = Incident.Tier


def report(
    kind: str,
    text: str,
    *,
    tier: str = Tier.ROUTINE,
    venue: str | None = None,
    endpoint: str = "",
    field: str = "",
    about: str = "",
    sample: str = "",
    count: int = 1,
) -> bool:
    """Open an incident, or count this on the open one; True when it is new.

    `kind`, `venue`, `endpoint`, `field` and `about` say what it is about: the same five are the
    same matter, `count` how often it happened this time. `text` is for the reader and may differ.
    """
    words = "\0".join([kind, venue or "", endpoint, field, about])
    fingerprint = hashlib.sha256(words.encode()).hexdigest()
    if _count_again(fingerprint, text, count):
        return False
    try:
        with transaction.atomic():
            Incident.objects.create(
                fingerprint=fingerprint,
                tier=tier,
                kind=kind,
                venue_id=venue,
                endpoint=endpoint[:200],
                field=field[:200],
                text=text,
                sample=sample[:2000],
                count=count,
            )
    except IntegrityError:
        _count_again(fingerprint, text, count)  # opened by another process meanwhile
        return False
    return True


def _count_again(fingerprint: str, text: str, count: int) -> bool:
    open_row = Incident.objects.filter(fingerprint=fingerprint, resolved_at=None)
    return bool(open_row.update(count=F("count") + count, last_seen=clock.now(), text=text))


def resolve(kind: str, about: str, by: str, venue: str | None = None) -> int:
    """Close what a component itself found to be over; how many rows that was."""
    words = "\0".join([kind, venue or "", "", "", about])
    fingerprint = hashlib.sha256(words.encode()).hexdigest()
    open_row = Incident.objects.filter(fingerprint=fingerprint, resolved_at=None)
    return open_row.update(resolved_at=clock.now(), resolved_by=by)
