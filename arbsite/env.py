"""Settings from the environment: typed, ranged, refused in one line.

Wraps django-environ. Every reader takes the variable's name and default and raises
`SettingError` naming the variable and what is allowed, and what it held unless that may be a
secret. A secret may stand in a file instead: `NAME_FILE` holds its path.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import urlsplit

import environ

BASE_DIR = Path(__file__).resolve().parent.parent


class SettingError(Exception):
    """One readable line: the variable, what is allowed, and what it held if that is no secret."""


class Reader:
    """Reads variables out of one mapping, so that tests need not touch the process."""

    def __init__(self, source: environ.Env) -> None:
        self.source = source

    def text(self, name: str, default: str = "") -> str:
        """The variable as text without surrounding spaces; empty counts as unset."""
        return self.source.str(name, default=default).strip() or default

    def secret(self, name: str, default: str = "") -> str:
        """A secret from `NAME`, or from the file named by `NAME_FILE`."""
        path = self.text(f"{name}_FILE")
        if not path:
            return self.text(name, default)
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            reason = getattr(problem, "strerror", None) or "not text"
            # Not the path: a secret put there by mistake would be printed.
            raise SettingError(f"{name}_FILE: {reason}; allowed: a text file") from None

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        """One of the allowed words."""
        value = self.text(name, default)
        if value not in allowed:
            raise _refusal(name, value, "one of " + ", ".join(allowed))
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A yes or no: 1, true, yes, on; 0, false, no, off."""
        value = self.text(name, "1" if default else "0").lower()
        if value in {"1", "true", "yes", "on"}:
            return True
        if value in {"0", "false", "no", "off"}:
            return False
        raise _refusal(name, value, "1 or 0 (true/false, yes/no, on/off)")

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within [low, high]."""
        value = self.text(name, str(default))
        try:
            number = int(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise _refusal(name, value, f"a whole number from {low} to {high}")
        return number

    def decimal(self, name: str, default: str, low: str, high: str) -> Decimal:
        """A decimal number within [low, high]."""
        value = self.text(name, default)
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not (number.is_finite() and Decimal(low) <= number <= Decimal(high)):
            raise _refusal(name, value, f"a number from {low} to {high}")
        return number

    def moment(self, name: str) -> datetime | None:
        """An ISO 8601 time with its zone, or None when unset."""
        value = self.text(name)
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise _refusal(name, value, "an ISO 8601 time with zone, as 2026-11-20T12:00:00+00:00")
        return moment

    def url(self, name: str, default: str = "", schemes: Sequence[str] = ("http", "https")) -> str:
        """A URL of one of the schemes without trailing slash, or empty; never repeated."""
        value = self.text(name, default)
        if value and not (_is_url(value, schemes) and "//" in value):
            allowed = "a URL starting with " + " or ".join(schemes)
            raise SettingError(f"{name} is not allowed; allowed: {allowed}")
        return value.rstrip("/")

    def folder(self, name: str, default: Path | None = None) -> Path | None:
        """A folder; one that is named must exist."""
        value = self.text(name)
        if not value:
            return default
        if not Path(value).is_dir():
            raise _refusal(name, value, "an existing folder")
        return Path(value)


def _is_url(value: str, schemes: Sequence[str]) -> bool:
    try:
        return urlsplit(value).scheme in schemes
    except ValueError:  # brackets that do not match, a host that is none
        return False


def _refusal(name: str, value: str, allowed: str) -> SettingError:
    return SettingError(f"{name}={value!r} is not allowed; allowed: {allowed}")


def read_environment() -> Reader:
    """The process environment over `.env` beside manage.py (variables already set win)."""
    source = environ.Env()
    dotenv = BASE_DIR / ".env"
    if dotenv.is_file():
        environ.Env.read_env(dotenv)
    return Reader(source)
