"""Data health: how collecting goes, per venue and per process, and what is wrong."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from arbsite import clock
from markets import audit
from markets.freshness import recorded_until
from markets.models import Incident, Venue
from markets.views.request import DeskRequest
from markets.vitals import SILENT_S, open_incidents, process_lines, venue_sheets

REFRESH_SECONDS = 10


@require_safe
def health_page(request: DeskRequest) -> HttpResponse:
    """Every venue and every process at a glance; for htmx without the frame."""
    now = recorded_until() or clock.now()
    context = {
        "now": now,
        "refresh": REFRESH_SECONDS,
        "venues": venue_sheets(now),
        "processes": process_lines(now),
        "incidents": open_incidents(),
        "silent_s": SILENT_S,
    }
    is_part = request.htmx and request.htmx.target == "vitals"
    response = render(request, f"markets/{'_vitals' if is_part else 'health'}.html", context)
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response


@require_safe
def incident_banner(request: DeskRequest) -> HttpResponse:
    """The critical incidents that every page shows."""
    return render(request, "markets/_alarm.html", {"incidents": Incident.objects.alarming()})


@require_POST
@permission_required("markets.change_incident", raise_exception=True)
def incident_acknowledge(request: DeskRequest, pk: int) -> HttpResponse:
    """Someone has seen it: it leaves the banner and stays in the list."""
    return _settle(request, pk, "acknowledged")


@require_POST
@permission_required("markets.change_incident", raise_exception=True)
def incident_resolve(request: DeskRequest, pk: int) -> HttpResponse:
    """It is over; the same thing happening again opens a new one."""
    return _settle(request, pk, "resolved")


def _settle(request: DeskRequest, pk: int, done: str) -> HttpResponse:
    """Mark an incident once: the second of two people is told that it was done."""
    incident = get_object_or_404(Incident, pk=pk)
    unsettled = Incident.objects.filter(**{"pk": pk, "resolved_at": None, f"{done}_at": None})
    by = request.user.get_username()
    with transaction.atomic():
        if unsettled.update(**{f"{done}_at": clock.now(), f"{done}_by": by}):
            audit.note(request.user, incident, audit.CHANGE, done)
            messages.success(request, f"Incident {done}.")
        else:
            messages.warning(request, "Someone else was faster: nothing changed.")
    return redirect("health")


@require_POST
@permission_required("markets.change_venue", raise_exception=True)
def venue_switch(request: DeskRequest, slug: str) -> HttpResponse:
    """Collect from a venue, or stop; runs already under way finish."""
    venue = get_object_or_404(Venue, slug=slug)
    is_enabled = request.POST.get("enabled") == "1"
    with transaction.atomic():
        if Venue.objects.filter(slug=slug, is_enabled=not is_enabled).update(is_enabled=is_enabled):
            word = "switched on" if is_enabled else "switched off"
            audit.note(request.user, venue, audit.CHANGE, word)
            messages.success(request, f"{venue.label} {word}.")
    return redirect("health")
