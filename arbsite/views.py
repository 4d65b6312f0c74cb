"""What every page carries, whatever app it belongs to."""

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, object]:
    """Template context of the shell."""
    return {}
