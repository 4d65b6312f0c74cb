"""How figures are written on a page: prices in cents, large sizes short, ages in words."""

from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from django import template
from django.utils.safestring import mark_safe

from markets.models.rank import ORDERS

register = template.Library()

NOTHING = "–"
_SPANS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@register.filter
def cents(price: Decimal | str | None) -> str:
    """A probability as cents a contract: 0.423 → 42.3; a finer tick keeps its digits."""
    if price is None or price == "":  # what a template makes of a figure that is not there
        return NOTHING
    whole = (Decimal(price) * 100).normalize()
    exponent = whole.as_tuple().exponent
    digits = max(1, -exponent) if isinstance(exponent, int) else 1
    return f"{whole:.{min(digits, 4)}f}"


@register.filter
def spaced(name: str) -> str:
    """A name from the code as words: unknown_field → unknown field."""
    return name.replace("_", " ")


@register.filter
def short(number: Decimal | float | str | None) -> str:
    """A size or volume in at most four digits: 12345 → 12.3k."""
    if number is None or number == "":
        return NOTHING
    value = float(number)
    for size, letter in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= 0.9995 * size:
            return (
                f"{value / size:.1f}{letter}"
                if abs(value) < 100 * size
                else f"{value / size:.0f}{letter}"
            )
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")


@register.filter
def span(seconds: float | timedelta | str | None) -> str:
    """A length of time in its two largest units: 7500 → 2 h 5 min."""
    if seconds is None or seconds == "":
        return NOTHING
    total = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
    left, parts = int(abs(total)), []
    for size, unit in _SPANS:
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2]) if parts else "0 s"


@register.filter
def brief(seconds: float | timedelta | str | None) -> str:
    """A length of time in its largest unit: 7500 → 2 h."""
    return " ".join(span(seconds).split(" ")[:2])


@register.filter
def until(moment: datetime | None, now: datetime) -> str:
    """How far a moment lies ahead, or how long ago it was."""
    if moment is None:
        return NOTHING
    distance = (moment - now).total_seconds()
    first = span(distance).split(" ")
    words = " ".join(first[:2]) if abs(distance) >= 7 * 86400 else span(distance)
    return words if distance >= 0 else f"{words} ago"


@register.filter
def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago a moment was; one that lies a little ahead is now."""
    if moment is None:
        return "never"
    return f"{span(max(0.0, (now - moment).total_seconds()))} ago"


@register.filter
def lately(moment: datetime | None, now: datetime) -> str:
    """As `ago`, in the largest unit alone."""
    return "never" if moment is None else f"{brief(max(0.0, (now - moment).total_seconds()))} ago"


@register.filter
def lag(seconds: float | None) -> str:
    """A short delay with its tenths: 0.7 s; a long one in its largest unit."""
    if seconds is None:
        return NOTHING
    return f"{seconds:.1f} s" if seconds < 10 else brief(seconds)


@register.filter
def count(number: int) -> str:
    """A whole number with its thousands apart: 12345 → 12,345."""
    return f"{number:,}"


@register.filter
def web(url: str) -> str:
    """A venue's address when it is a web address, else nothing: never a script."""
    return url if urlsplit(url).scheme in ("http", "https") else ""


@register.inclusion_tag("_moment.html")
def moment(value: datetime | None, beside: bool = True) -> dict[str, object]:
    """A time in UTC; the viewer's own zone is put beside it by the shell's script."""
    return {"value": value, "beside": beside}


@register.simple_tag(takes_context=True)
def here(context: template.RequestContext, **changes: object) -> str:
    """This page's query string with some keys changed; an empty value removes one."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        query.pop(key, None)
        if value not in ("", None):
            query[key] = str(value)
    return "?" + query.urlencode()


@register.filter
def turned(name: str, current: str) -> str:
    """The order a click on a column head asks for: its own, or its reverse when it is on."""
    return f"-{name}" if current == name else name


@register.simple_tag
def sort_state(name: str, current: str) -> str:
    """The aria-sort attribute of a column head, when the list is in its order."""
    if current.lstrip("-") != name:
        return ""
    descending = ORDERS[current][1]
    return mark_safe(f' aria-sort="{"descending" if descending else "ascending"}"')
