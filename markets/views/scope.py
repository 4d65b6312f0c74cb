"""Scope: which markets get attention, as lines that a person edits."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from arbsite import clock
from markets import audit
from markets.models import Market, Scope, Venue
from markets.scope import PRESETS, ScopeError, apply_preset, preview
from markets.views.request import DeskRequest


class LineForm(forms.ModelForm):
    """A new line; a value that its dimension cannot read is refused with the reason."""

    action = forms.ChoiceField(choices=Scope.Action.choices, initial=Scope.Action.WATCH)
    dimension = forms.ChoiceField(choices=Scope.Dimension.choices, initial=Scope.Dimension.WORD)

    class Meta:
        model = Scope
        fields = ("action", "dimension", "value", "note")


@require_safe
def scope_page(request: DeskRequest) -> HttpResponse:
    """The lines, what adds to them, and what comes of them."""
    return _page(request, LineForm())


def _page(request: DeskRequest, form: LineForm, status: int = 200) -> HttpResponse:
    tracked = Market.objects.filter(is_tracked=True).values("venue").annotate(count=Count("pk"))
    counts = {row["venue"]: row["count"] for row in tracked}
    context = {
        "form": form,
        "lines": _lines(),
        "presets": [
            (name, Scope.objects.filter(preset=name).exists(), list(lines))
            for name, lines in PRESETS.items()
        ],
        "tracked": [(venue, counts.get(venue.slug, 0)) for venue in Venue.objects.all()],
        "tracked_sum": sum(counts.values()),
        "tracked_max": settings.TRACKED_MAX,
        "now": clock.now(),
    }
    return render(request, "markets/scope.html", context, status=status)


@require_safe
def scope_lines(request: DeskRequest) -> HttpResponse:
    """The rows of the table with how many markets each touches, which takes a moment to count."""
    lines = _lines()
    for line in lines:
        vars(line)["touched"] = _touched(line)
    return render(request, "markets/_scope_lines.html", {"lines": lines, "now": clock.now()})


@require_safe
def scope_preview(request: DeskRequest) -> HttpResponse:
    """How many live markets a line would touch, said in words."""
    dimension, value = request.GET.get("dimension", ""), request.GET.get("value", "").strip()
    context: dict[str, object] = {"value": value}
    if value:
        try:
            context["count"] = preview(dimension, value)
        except ScopeError as problem:
            context["problem"] = str(problem)
    return render(request, "markets/_scope_preview.html", context)


@require_POST
@permission_required("markets.add_scope", raise_exception=True)
def scope_add(request: DeskRequest) -> HttpResponse:
    """Add a line; its author is who adds it."""
    form = LineForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    with transaction.atomic():
        form.instance.author = request.user
        line = form.save()
        audit.note(request.user, line, audit.ADDITION, "added on the Scope page")
    messages.success(request, f"Added: {line.get_action_display()} {line.value}.")
    return redirect("scope")


@require_POST
@permission_required("markets.add_scope", raise_exception=True)
def scope_preset(request: DeskRequest) -> HttpResponse:
    """Add the lines of a preset."""
    name = request.POST.get("name", "")
    if name not in PRESETS:
        raise Http404("no such preset")
    with transaction.atomic():
        added = apply_preset(name, request.user)
        for line in Scope.objects.filter(preset=name, author=request.user).order_by("-id")[:added]:
            audit.note(request.user, line, audit.ADDITION, f"preset {name}")
    messages.success(request, f"{name}: {added} line{'' if added == 1 else 's'} added.")
    return redirect("scope")


@require_POST
@permission_required("markets.change_scope", raise_exception=True)
def scope_switch(request: DeskRequest, pk: int) -> HttpResponse:
    """Let a line count, or not, without losing it."""
    line = get_object_or_404(Scope, pk=pk)
    is_enabled = request.POST.get("enabled") == "1"
    with transaction.atomic():
        if Scope.objects.filter(pk=pk, is_enabled=not is_enabled).update(is_enabled=is_enabled):
            word = "switched on" if is_enabled else "switched off"
            audit.note(request.user, line, audit.CHANGE, word)
            messages.success(request, f"{line.get_action_display()} {line.value}: {word}.")
    return redirect("scope")


@require_POST
@permission_required("markets.delete_scope", raise_exception=True)
def scope_remove(request: DeskRequest, pk: int) -> HttpResponse:
    """Take a line away; the log keeps who did."""
    line = get_object_or_404(Scope, pk=pk)
    with transaction.atomic():
        audit.note(request.user, line, audit.DELETION, "removed on the Scope page")
        line.delete()
    messages.success(request, f"Removed: {line.get_action_display()} {line.value}.")
    return redirect("scope")


def _lines() -> list[Scope]:
    return list(Scope.objects.select_related("author"))


def _touched(line: Scope) -> int | None:
    """None for a line whose value no longer makes sense."""
    try:
        return preview(line.dimension, line.value)
    except ScopeError:
        return None
