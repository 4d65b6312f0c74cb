"""What a request is by the time it reaches a page."""

from django.contrib.auth.models import User
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class DeskRequest(HttpRequest):
    """Signed in (the middleware saw to that), and knowing whether htmx asks for a part."""

    user: User
    htmx: HtmxDetails
