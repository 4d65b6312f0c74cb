"""Scope: which markets get attention, as lines that a person edits."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from markets.models import Scope


@require_safe
def scope_page(request: HttpRequest) -> HttpResponse:
    """The list of lines."""
    return render(request, "markets/scope.html", {"lines": Scope.objects.select_related("author")})
