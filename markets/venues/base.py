"""What a venue promises. Small protocols, asked with isinstance; only `VenueError` leaves one."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from markets.quotes import (
    CandleInfo,
    EventInfo,
    ExchangeStatus,
    FeeInfo,
    Listing,
    MarketRef,
    OrderBook,
    Page,
    Quote,
    TradePrint,
)


class VenueError(Exception):
    """A venue could not be read. `permanent` means stop asking; otherwise a later try may work.

    `status` is the HTTP status if there was one; `endpoint` as "GET /markets".
    """

    def __init__(
        self, message: str, permanent: bool = False, status: int | None = None, endpoint: str = ""
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.status = status
        self.endpoint = endpoint


@runtime_checkable
class Connector(Protocol):
    """The least a venue must do. Every page may carry refusals; a listing that ends without a
    page marked `is_last` was not complete."""

    slug: str
    label: str
    #: The venue makes its data anew this often and in one piece; 0: whenever something changes.
    poll_seconds: int

    def list_markets(self, changed_since: datetime | None = None) -> Iterator[Page[Listing]]:
        """Every market open for trading (or changed since), page by page."""
        ...

    def fetch_markets(self, refs: Sequence[str]) -> Page[Listing]:
        """These markets whatever their status; one the venue no longer knows is left out.

        `denied` names those that the venue itself said it does not know; a market that was merely
        not answered must not be taken for gone. The page is marked `is_last` only if each one that
        it leaves out was denied.
        """
        ...

    def fetch_quotes(self, refs: Sequence[MarketRef]) -> Page[Quote]:
        """Fresh tops of book of outcome 0."""
        ...


@runtime_checkable
class Events(Protocol):
    def list_events(self, changed_since: datetime | None = None) -> Iterator[Page[EventInfo]]:
        """Every open event."""
        ...


@runtime_checkable
class Books(Protocol):
    def fetch_books(self, refs: Sequence[MarketRef]) -> Page[OrderBook]:
        """Full depth of outcome 0, one book a market."""
        ...


@runtime_checkable
class Trades(Protocol):
    def fetch_trades(self, refs: Sequence[MarketRef], since: datetime) -> Page[TradePrint]:
        """Published trades of these markets since a time, newest included."""
        ...


@runtime_checkable
class History(Protocol):
    def fetch_candles(
        self, ref: MarketRef, seconds: int, start: datetime, end: datetime
    ) -> Page[CandleInfo]:
        """Candles of one market; no row for a period without data."""
        ...


@runtime_checkable
class StatusReports(Protocol):
    def exchange_status(self) -> ExchangeStatus:
        """Open or not now, and announced pauses."""
        ...


@runtime_checkable
class Fees(Protocol):
    def list_fees(self) -> Iterator[Page[FeeInfo]]:
        """Fee facts that do not come with the markets themselves."""
        ...
