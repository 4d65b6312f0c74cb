"""From nothing to everything running, and back: what `manage.py up` and `demo` do."""

import logging
import os
import signal
from functools import partial
from pathlib import Path

from django.conf import settings

from arbsite import clock, logins, pinned, schedule, servers
from arbsite.env import SettingError
from arbsite.supervisor import plan, reports
from arbsite.supervisor.child import Child
from arbsite.supervisor.holding import Holding
from arbsite.supervisor.reset import forget
from arbsite.supervisor.run import Supervisor
from markets.tasks import make_partitions
from sandbox.faults import Faults

log = logging.getLogger(__name__)


def up(fresh: bool = False) -> None:
    """Run until told to stop; `fresh` begins a new world first. ServerError in one line."""
    signal.signal(signal.SIGTERM, _interrupt)
    _check_faults()
    folder = settings.DATASET_DIR
    with Holding(folder) as holding:
        try:
            servers.use(settings.SERVER_CONFIG)
            if fresh:
                forget(folder)
            _run(holding, folder)
        finally:
            servers.leave()


def _check_faults() -> None:
    """The sandbox would refuse them too, but as a child that dies at every start."""
    try:
        Faults(settings.SANDBOX_SEED, settings.FAULTS)
    except ValueError as problem:
        allowed = f"{problem}; allowed: venue:kind=rate, more of them after a comma"
        raise SettingError(f"FAULTS={settings.FAULTS!r} is not allowed: {allowed}") from None


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _run(holding: Holding, folder: Path) -> None:
    chosen = plan.addresses()
    _pin(folder, chosen)
    servers.prepare_database(settings.SERVER_CONFIG)
    if settings.DEMO:
        servers.note_sandbox(settings.SERVER_CONFIG)
    make_partitions()
    password = logins.ensure(settings.DATASET, folder)
    supervisor = Supervisor(
        plan.specs(chosen), folder / "logs", settings.RESTART_BUDGET, settings.DEADMAN_URL
    )
    holding.note(url=plan.url(chosen))

    def note_children() -> None:
        running = {
            child.spec.name: (child.pid, " ".join(child.spec.command))
            for child in supervisor.children
            if child.pid
        }
        holding.note(children=running)

    def greet(child: Child) -> None:
        if child.spec.name == "web" and not said:
            said.append("url")
            print(plan.greeting(plan.url(chosen), password), flush=True)
        if child.spec.name == "worker-ingest" and "first" not in said:
            said.append("first")
            supervisor.pool.submit(reports.quietly, schedule.send_first)

    said: list[str] = []
    supervisor.on_change, supervisor.on_answer = note_children, greet
    supervisor.on_note = partial(pinned.note_app_time, folder)
    supervisor.listen()
    print(f"arbsite: starting {settings.DATASET}; logs in {folder / 'logs'}", flush=True)
    for child in supervisor.children:
        reports.quietly(reports.all_clear, child.spec.name)
    supervisor.run()
    pinned.note_app_time(folder)
    print("arbsite: stopped", flush=True)


def _pin(folder: Path, chosen: dict[str, str]) -> None:
    """Give all processes the same clock and addresses, and keep them for the next start."""
    values = pinned.read(folder) | chosen
    if settings.DEMO:
        set_speed = os.environ["CLOCK_SPEED"] if "CLOCK_SPEED" in pinned.given else ""
        speed = float(set_speed or values.get("CLOCK_SPEED", 1))
        values |= pinned.clock_of(values, speed, clock.wall_now())
    values |= {name: os.environ[name] for name in pinned.CLOCK if name in pinned.given}
    pinned.write(folder, values)
    os.environ.update({name: value for name, value in values.items() if name != pinned.LAST_SEEN})
    os.environ.update(servers.environment(settings.SERVER_CONFIG))
    clock.restart()
