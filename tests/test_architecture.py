"""The rules of the house, read from the syntax tree: who may import whom, what is pure, one clock.

Each rule takes a path (as from the project's root) and a source and returns what breaks it, so
that the same function judges the project and the planted violations below.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("markets", "trading", "analytics", "alerts", "arbsite")
OURS = {*LAYERS, "sandbox", "tests"}
FROM_BELOW = "arbsite.clock"  # all that stands above and may be asked from below
VENUES = {"kalshi", "polymarket", "predictit"}

NUMERIC = {"numpy", "pandas", "scipy", "sklearn", "rapidfuzz"}
PAYLOAD = {"msgspec"}  # where JSON becomes values
# Standard library, but the world: time, network, files, processes.
WORLDLY = {
    "asyncio", "ftplib", "http", "io", "logging", "multiprocessing", "os", "pathlib", "secrets",
    "selectors", "shutil", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess",
    "tempfile", "threading", "time", "urllib.request",
}  # fmt: skip
PURE = re.compile(
    r"""\w+/calc/\w+\.py
      | markets/quotes\.py | markets/venues/(orders|payload|fitting)\.py | trading/intents\.py
      | trading/risk/rules\.py
      | markets/(venues|oracles)/\w+/(?!connector|paging|stream|auth|__init__)\w+\.py""",
    re.VERBOSE,
)

WALL_CLOCK = {  # who may read the wall's clock, and why
    "arbsite/clock.py": "it is the clock",
    "sandbox/clock.py": "the sandbox imports nothing of ours",
    "sandbox/state.py": "hence its own clock starts here",
    "sandbox/kalshi_auth.py": "a signature's age is counted on the wall",
    "sandbox/poly_clob.py": "so is an authentication header's",
    "arbsite/servers/locks.py": "a file name that no two processes share",
}
CLOCK_CALLS = {
    "timezone.now", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today", "time.time",
    "time.time_ns", "time.gmtime", "time.localtime",
}  # fmt: skip
SQL_CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp)\s*\(\s*\)"
    r"|\b(current_timestamp|current_date|localtimestamp)\b",
    re.IGNORECASE,
)
SQL = re.compile(r"\b(select|insert|update|delete|values|where|set|default)\b", re.IGNORECASE)
SHAPELESS = {"utils", "util", "helpers", "helper", "services", "service", "common", "misc"}

Rule = Callable[[str, str], list[str]]


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(path: str, source: str) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported, in functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = path.split("/")[: -node.level]
                base = ".".join([*package, *([base] if base else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def is_under(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def wrong_layer(path: str, source: str) -> list[str]:
    """Imports point left, never right; the sandbox stands aside."""
    own = path.split("/")[0]
    found = []
    for line, name in imports(path, source):
        other = name.split(".")[0]
        if other == own or other not in OURS or own not in OURS or own == "tests":
            continue
        if other == "sandbox":
            allowed = own == "arbsite"
        elif own == "sandbox" or other == "tests":
            allowed = False
        else:
            allowed = LAYERS.index(other) < LAYERS.index(own) or is_under(name, FROM_BELOW)
        if not allowed:
            found.append(f"{path}:{line} imports {name}")
    return found


def impure(path: str, source: str) -> list[str]:
    """Pure modules import the standard library, numeric libraries and one another."""
    if not PURE.fullmatch(path):
        return []
    return [
        f"{path}:{line} imports {name}"
        for line, name in imports(path, source)
        if not may_be_in_pure(path, name)
    ]


def may_be_in_pure(path: str, name: str) -> bool:
    top = name.split(".")[0]
    if top in OURS:
        return is_pure_module(name)
    if any(is_under(name, worldly) for worldly in WORLDLY):
        return False
    return top in sys.stdlib_module_names | NUMERIC | (PAYLOAD if "/venues/" in path else set())


def is_pure_module(name: str) -> bool:
    """Whether what is imported is a pure module, or lives in one."""
    for module in (name, name.rpartition(".")[0]):
        path = module.replace(".", "/")
        if (ROOT / f"{path}.py").is_file():
            return bool(PURE.fullmatch(f"{path}.py"))
    return False


def second_clock(path: str, source: str) -> list[str]:
    """Time is asked of arbsite.clock alone."""
    if path in WALL_CLOCK:
        return []
    tree = ast.parse(source)
    documents = {id(text) for text in docstrings(tree)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in CLOCK_CALLS:
            found.append(f"{path}:{node.lineno} {ast.unparse(node)}")
        elif isinstance(node, ast.keyword) and node.arg in {"auto_now", "auto_now_add"}:
            found.append(f"{path}:{node.value.lineno} {node.arg}")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_sql = SQL_CLOCK.search(node.value) and SQL.search(node.value)
            if is_sql and id(node) not in documents:
                found.append(f"{path}:{node.lineno} SQL clock")
    names = imports(path, source)
    return found + [
        f"{path}:{line} imports {name}"
        for line, name in names
        if name in {"django.db.models.functions.Now", "time.time", "time.time_ns"}
    ]


def docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, kinds) and node.body and isinstance(node.body[0], ast.Expr):
            yield node.body[0].value


def shapeless(path: str, source: str) -> list[str]:
    """A module is named for its subject."""
    return [path] if Path(path).stem in SHAPELESS or Path(path).parent.name in SHAPELESS else []


def asks_which_venue(path: str, source: str) -> list[str]:
    """A venue's differences are declared in its folder, not asked for elsewhere."""
    if path.startswith(("markets/venues/", "sandbox/", "tests/")):
        return []
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            operands: list[ast.expr] = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            operands = [node.value]
        else:
            continue
        constants = {one.value for one in operands if isinstance(one, ast.Constant)}
        if constants & VENUES:
            found.append(f"{path}:{node.lineno} {ast.unparse(node)}")
    return found


RULES: list[Rule] = [wrong_layer, impure, second_clock, shapeless, asks_which_venue]


def sources() -> Iterator[tuple[str, str]]:
    for top in sorted(OURS - {"tests"}):
        for path in sorted((ROOT / top).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps(rule: Rule) -> None:
    found = [line for path, source in sources() for line in rule(path, source)]
    assert not found, "\n".join(found)


def test_pure_modules_exist() -> None:
    """A pattern that matches nothing would keep every rule."""
    pure = [path for path, _ in sources() if PURE.fullmatch(path)]
    assert len(pure) >= 8
    assert "markets/quotes.py" in pure


def test_listed_wall_clock_places_exist() -> None:
    assert not [path for path in WALL_CLOCK if not (ROOT / path).is_file()]


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (wrong_layer, "markets/ingest.py", "from trading import scan"),
        (wrong_layer, "markets/ingest.py", "def f():\n    import analytics.detect"),
        (wrong_layer, "markets/ingest.py", "from arbsite import schedule"),
        (wrong_layer, "markets/ingest.py", "from arbsite.schedule import entries"),
        (wrong_layer, "trading/scan.py", "from alerts.models import Alert"),
        (wrong_layer, "markets/ingest.py", "from sandbox.world import World"),
        (wrong_layer, "sandbox/world.py", "from markets import quotes"),
        (wrong_layer, "sandbox/world.py", "from arbsite import clock"),
        (wrong_layer, "arbsite/cycle.py", "from tests.factories import Market"),
        (wrong_layer, "markets/venues/base.py", "from ...trading import scan"),
        (impure, "markets/calc/fees.py", "from django.conf import settings"),
        (impure, "markets/calc/fees.py", "def f():\n    import httpx"),
        (impure, "markets/calc/fees.py", "import time"),
        (impure, "markets/calc/fees.py", "from urllib.request import urlopen"),
        (impure, "markets/calc/fees.py", "from arbsite import clock"),
        (impure, "markets/calc/fees.py", "from markets.models import Market"),
        (impure, "markets/calc/fees.py", "import msgspec"),
        (impure, "markets/quotes.py", "import celery"),
        (impure, "markets/venues/kalshi/parse.py", "from markets.venues.http import VenueHttp"),
        (impure, "markets/venues/kalshi/shapes.py", "import redis"),
        (impure, "trading/risk/rules.py", "from trading.models import Order"),
        (second_clock, "markets/ingest.py", "from django.utils import timezone\ntimezone.now()"),
        (second_clock, "markets/ingest.py", "from datetime import datetime\ndatetime.now(tz)"),
        (second_clock, "markets/ingest.py", "x = datetime.utcnow"),
        (second_clock, "markets/ingest.py", "import datetime\ndatetime.date.today()"),
        (second_clock, "markets/ingest.py", "import time\ntime.time()"),
        (second_clock, "markets/ingest.py", "from time import time"),
        (second_clock, "markets/models/market.py", "x = DateTimeField(auto_now_add=True)"),
        (second_clock, "markets/models/market.py", "x = DateTimeField(auto_now=True)"),
        (second_clock, "markets/ingest.py", "from django.db.models.functions import Now"),
        (second_clock, "markets/writing.py", "sql = 'UPDATE quote SET at = now()'"),
        (second_clock, "markets/writing.py", "sql = f'SELECT {x} WHERE at < CURRENT_TIMESTAMP'"),
        (shapeless, "markets/utils.py", ""),
        (shapeless, "trading/helpers/fees.py", ""),
        (shapeless, "alerts/services.py", ""),
        (asks_which_venue, "markets/ingest.py", "if venue == 'kalshi': pass"),
        (asks_which_venue, "markets/ingest.py", "x = 'polymarket' != venue.slug"),
        (asks_which_venue, "trading/scan.py", "match venue:\n  case 'predictit': pass"),
    ],
)  # fmt: skip
def test_planted_violation_is_caught(rule: Rule, path: str, source: str) -> None:
    assert rule(path, source)


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (wrong_layer, "trading/scan.py", "from markets.models import Market"),
        (wrong_layer, "markets/ingest.py", "from arbsite import clock"),
        (wrong_layer, "arbsite/cycle.py", "from sandbox.world import World"),
        (impure, "markets/calc/fees.py", "from decimal import Decimal\nimport numpy as np"),
        (impure, "markets/calc/fees.py", "from markets.quotes import Level"),
        (
            impure,
            "markets/venues/kalshi/parse.py",
            "import msgspec\nfrom markets.calc import quality",
        ),
        (impure, "markets/ingest.py", "import httpx"),
        (second_clock, "markets/ingest.py", "import time\ntime.monotonic()"),
        (second_clock, "markets/ingest.py", "def f():\n    '''Select what is now() due.'''"),
        (second_clock, "markets/ingest.py", "from arbsite import clock\nclock.now()"),
        (asks_which_venue, "markets/venues/kalshi/parse.py", "if venue == 'kalshi': pass"),
        (asks_which_venue, "markets/ingest.py", "limits = {'kalshi': 1}"),
    ],
)
def test_what_is_allowed_passes(rule: Rule, path: str, source: str) -> None:
    assert not rule(path, source)
