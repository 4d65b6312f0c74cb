"""Which processes a dataset needs on this machine, and at which addresses."""

import socket
import sys
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings

from arbsite import logins, pinned
from arbsite.servers.errors import ServerError
from arbsite.supervisor import probes
from arbsite.supervisor.child import Spec

WORKERS = {  # a universe sync never delays trading
    "trade": ("trade,notify", 2),
    "ingest": ("ingest", 3),
    "match": ("match,analyze", 1),
}
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PORTS_TRIED = 100
# Order of stopping: nothing new is sent, then nothing is worked on, then pages and venues go.
BEAT, WORKER, WEB, SANDBOX = range(4)


def addresses() -> dict[str, str]:
    """WEB_PORT and SANDBOX_URL as they will be: those set, or the next free ports."""
    chosen = {"WEB_PORT": web_port()}
    if runs_sandbox():
        place = urlsplit(settings.SANDBOX_URL)
        host = place.hostname or "127.0.0.1"
        taken = int(chosen["WEB_PORT"]) if settings.WEB_HOST in LOOPBACK else 0
        port = _port(host, place.port or 8601, "SANDBOX_URL", taken)
        chosen["SANDBOX_URL"] = f"http://{host}:{port}"
    return chosen


def web_port() -> str:
    """WEB_PORT if it is set (then it must be free), else the first free one from there on."""
    return str(_port(settings.WEB_HOST, settings.WEB_PORT, "WEB_PORT"))


def runs_sandbox() -> bool:
    """Whether the simulated venues are ours to run: in the demo, unless they are elsewhere."""
    return settings.DEMO and urlsplit(settings.SANDBOX_URL).hostname in LOOPBACK


def _port(host: str, wanted: int, setting: str, taken: int = 0) -> int:
    if setting in pinned.given:
        if not _is_free(host, wanted):
            raise ServerError(f"port {wanted} is in use; set {setting} to another or unset it")
        return wanted
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)):
        if port != taken and _is_free(host, port):
            return port
    raise ServerError(f"no free port from {wanted} on; set {setting}")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def specs(chosen: dict[str, str]) -> list[Spec]:
    """Every process, in the order of starting."""
    first = [_sandbox(chosen["SANDBOX_URL"])] if "SANDBOX_URL" in chosen else []
    needs = first[0].name if first else ""
    workers = [_worker(name, needs) for name in WORKERS]
    return [*first, web(chosen), *workers, _beat(needs)]


def url(chosen: dict[str, str]) -> str:
    """Where a person on this machine opens the pages."""
    host = "127.0.0.1" if settings.WEB_HOST in {"0.0.0.0", "::"} else settings.WEB_HOST
    return f"http://{f'[{host}]' if ':' in host else host}:{chosen['WEB_PORT']}"


def greeting(address: str, password: str) -> str:
    """What the user reads when the page answers."""
    name = logins.owner(settings.DATASET)
    login = f"login {name}, password {password}" if password else f"login {name} (your password)"
    others = " (viewer, reviewer, trader, risk: the same password)" if settings.DEMO else ""
    return f"\n  {address}\n  {login}{others}\n  Ctrl-C stops everything\n"


def _sandbox(address: str) -> Spec:
    place = urlsplit(address)
    command = ("-m", "sandbox", "--host", str(place.hostname), "--port", str(place.port))
    return Spec(
        "sandbox",
        (sys.executable, *command),
        SANDBOX,
        probe=partial(probes.http, f"{address}/sandbox"),
    )


def web(chosen: dict[str, str]) -> Spec:
    """The pages."""
    host = f"[{settings.WEB_HOST}]" if ":" in settings.WEB_HOST else settings.WEB_HOST
    options = (
        f"--bind={host}:{chosen['WEB_PORT']}",
        f"--workers={settings.WEB_WORKERS}",
        "--worker-class=uvicorn_worker.UvicornWorker",
        "--graceful-timeout=4",
        "--no-control-socket",
        "--max-requests=20000",
        "--max-requests-jitter=2000",
    )
    return Spec(
        "web",
        (sys.executable, "-m", "gunicorn", "arbsite.asgi:application", *options),
        WEB,
        probe=partial(probes.http, f"{url(chosen)}/healthz"),
    )


def _worker(name: str, needs: str) -> Spec:
    queues, concurrency = WORKERS[name]
    node = f"{name}@{socket.gethostname()}"
    options = (f"--queues={queues}", f"--hostname={node}", f"--concurrency={concurrency}")
    quiet = ("--loglevel=INFO", "--without-gossip", "--without-mingle")
    return Spec(
        f"worker-{name}",
        (sys.executable, "-m", "celery", "--app=arbsite", "worker", *options, *quiet),
        WORKER,
        grace_s=12,
        needs=needs,
        probe=partial(probes.worker, node),
        # SIGTERM gives running tasks `worker_soft_shutdown_timeout`, then returns them.
        environment={"REMAP_SIGTERM": "SIGQUIT"},
    )


def _beat(needs: str) -> Spec:
    options = ("--loglevel=INFO", "--pidfile=")
    return Spec(
        "beat",
        (sys.executable, "-m", "celery", "--app=arbsite", "beat", *options),
        BEAT,
        needs=needs,
        probe=probes.beat,
    )
