"""Data health: how collecting goes, per venue and per process, and what is wrong."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from markets.models import Incident


@require_safe
def health_page(request: HttpRequest) -> HttpResponse:
    """Every venue and every process at a glance."""
    return render(request, "markets/health.html", {})


@require_safe
def incident_banner(request: HttpRequest) -> HttpResponse:
    """The critical incidents that every page shows."""
    return render(request, "markets/_alarm.html", {"incidents": Incident.objects.alarming()})
