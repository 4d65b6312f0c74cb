"""One row that the database refuses must not cost the others of its batch."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import DataError, OperationalError
from psycopg.errors import ProgramLimitExceeded

T = TypeVar("T")
R = TypeVar("R")


def write_salvaging(
    items: Sequence[T], write: Callable[[Sequence[T]], R]
) -> tuple[list[R], list[tuple[T, str]]]:
    """Write all items in one go, or, when a value is refused, in halves until it stands alone.

    `write` must be atomic. Returns what each successful part gave, and the refused items with the
    database's reason. Any other error goes on up.
    """
    try:
        return [write(items)], []
    except (DataError, OperationalError, UnicodeError) as problem:
        if isinstance(problem, OperationalError) and not isinstance(
            problem.__cause__, ProgramLimitExceeded
        ):
            raise
        if len(items) == 1:
            return [], [(items[0], str(problem).splitlines()[0])]
    middle = len(items) // 2
    first, second = (write_salvaging(x, write) for x in (items[:middle], items[middle:]))
    return first[0] + second[0], first[1] + second[1]
