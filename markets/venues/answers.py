"""What comes back over HTTP: a usable answer, or a failure with its kind."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from arbsite import clock

MAX_BODY = 32 * 1024 * 1024
RETRY_AFTER_MAX_SECONDS = 120.0
RETRIED_STATUS = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524})


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable response.

    `endpoint` as "GET /markets"; `seconds` on the wall, retries excluded; `dated` the server's own
    clock (to the second) where it says it, to be compared with wall time.
    """

    status: int
    body: bytes
    received_at: datetime
    endpoint: str
    seconds: float
    dated: datetime | None = None


class Failure(Exception):
    """One attempt went wrong. `kind` is counted; `is_fault` means the venue is to blame."""

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        status: int | None = None,
        retry: bool = True,
        is_fault: bool = True,
        pause: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retry = retry
        self.is_fault = is_fault
        self.pause = pause


def read_body(response: httpx.Response, until: float) -> bytes:
    chunks = []
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > MAX_BODY:
            raise Failure("oversize", f"body larger than {MAX_BODY >> 20} MiB", retry=False)
        if time.monotonic() > until:
            raise Failure("timeout", "body did not arrive in time")
        chunks.append(chunk)
    return b"".join(chunks)


def check(response: httpx.Response, body: bytes, accept: Collection[int], is_read: bool) -> None:
    """Raises Failure unless the response is one to parse."""
    status = response.status_code
    is_html = "html" in response.headers.get("content-type", "") or body.lstrip()[:1] == b"<"
    if status in accept and body.lstrip()[:1] == b"{":
        return
    if status == 429:
        pause = retry_after(response.headers.get("retry-after", ""), clock.wall_now())
        raise Failure("limited", "too many requests", status=429, pause=pause)
    if status in RETRIED_STATUS:
        pause = retry_after(response.headers.get("retry-after", ""), clock.wall_now())
        raise Failure("server", f"status {status}: {_says(body)}", status=status, pause=pause)
    if is_html:
        # A page that blocks us comes again however often we ask.
        message = f"status {status}: an HTML page in place of JSON"
        raise Failure("html", message, status=status, retry=not 400 <= status < 500)
    if not 200 <= status < 300:
        message = f"status {status}: {_says(body)}"
        raise Failure("refused", message, status=status, retry=False, is_fault=False)
    if not body.strip() and (is_read or status != 204):
        raise Failure("empty", f"status {status} without a body", status=status)


def transport_failure(problem: Exception) -> Failure:
    """What went wrong before there was an answer, without the address it went wrong at."""
    name = type(problem).__name__
    if isinstance(problem, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return Failure("refused", "the address is not valid", retry=False, is_fault=False)
    if isinstance(problem, httpx.DecodingError):
        return Failure("garbled", "body does not decode as its Content-Encoding says")
    if isinstance(problem, httpx.TimeoutException):
        return Failure("timeout", f"no answer in time ({name})")
    if isinstance(problem, httpx.ConnectError):
        return Failure("connect", "no connection")
    return Failure("broken", f"connection broke ({name})")


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds a Retry-After header asks for (a number or a date), capped; None if it says none."""
    text = text.strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        moment = date_of(text)
        if moment is None:
            return None
        seconds = (moment - now).total_seconds()
    if seconds != seconds:  # NaN
        return None
    return min(max(0.0, seconds), RETRY_AFTER_MAX_SECONDS)


def date_of(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _says(body: bytes) -> str:
    """What an error body says, short and printable; Kalshi's `error` is a text or an object."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = body[:200].decode("utf-8", "replace")
    if isinstance(value, dict):
        value = value.get("error", value)
    if isinstance(value, dict):
        value = value.get("message") or value.get("code") or value
    return "".join(c if c.isprintable() else " " for c in str(value))[:200]
