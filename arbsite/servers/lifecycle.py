"""Start what is missing, share it, and let the last one out stop it."""

import atexit
import json
import os
import shutil
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from arbsite.servers import binaries, locks, places, private_postgresql, private_redis
from arbsite.servers.config import ServerConfig
from arbsite.servers.errors import ServerError

SERVERS: dict[str, ModuleType] = {"postgresql": private_postgresql, "redis": private_redis}

LOG_BYTES = 10 * 2**20


@dataclass(frozen=True)
class Running:
    """What `use` found or started: the version of each server, `external` where not ours."""

    postgresql: str
    redis: str


_memberships: dict[Path, locks.Membership] = {}
_turn = threading.RLock()


def _after_fork() -> None:
    global _turn
    _turn = threading.RLock()  # the parent's may have been held by a thread that is not here


os.register_at_fork(after_in_child=_after_fork)


def private_kinds(config: ServerConfig) -> list[str]:
    """Which servers are ours to run."""
    wanted = {"postgresql": config.private_postgresql, "redis": config.private_redis}
    return [kind for kind, private in wanted.items() if private]


def use(config: ServerConfig) -> Running:
    """See that the servers run and take a share in them until this process ends.

    May be called again at any time, as after a lost connection: what has gone is started anew.
    """
    kinds = private_kinds(config)
    if not kinds:
        return Running("external", "external")
    with _turn:
        _drop_parents_share(config)
        with locks.gate(config):
            # Before starting anything, so that a Ctrl-C half way leaves nothing running.
            if config.data_dir not in _memberships:
                _memberships[config.data_dir] = locks.join(config)
                atexit.unregister(leave)
                atexit.register(leave)
            versions = {kind: _ensure(config, kind) for kind in kinds}
    return Running(versions.get("postgresql", "external"), versions.get("redis", "external"))


def _drop_parents_share(config: ServerConfig) -> None:
    """A forked child with a share of its own must not also hold its parent's."""
    inherited = _memberships.get(config.data_dir)
    if inherited and inherited.pid != os.getpid():
        _memberships.pop(config.data_dir).release()


def leave(config: ServerConfig | None = None) -> None:
    """Give up this process's share (or every one it has); whoever is last stops the servers."""
    with _turn:
        for key, share in list(_memberships.items()):
            if share.pid != os.getpid():
                continue  # a forked child: the share is its parent's
            if config and key != config.data_dir:
                continue
            del _memberships[key]
            try:
                _leave(share)
            except (ServerError, OSError) as problem:  # at exit there is nobody left to catch it
                print(f"arbsite: {problem}", file=sys.stderr)


def _leave(share: locks.Membership) -> None:
    with locks.gate(share.config):
        share.release()
        if not keep_marker(share.config).exists() and locks.is_free(share.config):
            _stop_all(share.config)


def start(config: ServerConfig) -> Running:
    """Start what is missing and keep it up until `stop`."""
    kinds = private_kinds(config)
    if not kinds:
        return Running("external", "external")
    with locks.gate(config):
        versions = {kind: _ensure(config, kind) for kind in kinds}
        keep_marker(config).touch()
    return Running(versions.get("postgresql", "external"), versions.get("redis", "external"))


def stop(config: ServerConfig, force: bool = False) -> None:
    """Stop the servers; refused while others use them, unless forced."""
    with _turn, locks.gate(config):
        own = _memberships.get(config.data_dir)
        others = [user for user in locks.users(config) if user["pid"] != os.getpid()]
        if not force and (others or not (own or locks.is_free(config))):
            names = "; ".join(f"pid {user['pid']} {user['command']}" for user in others)
            raise ServerError(f"in use by {names or 'a forked process'}: end it first, or --force")
        keep_marker(config).unlink(missing_ok=True)
        _stop_all(config)


def _stop_all(config: ServerConfig) -> None:
    try:
        private_redis.stop(config)  # the quicker one first: a second Ctrl-C cannot leave it behind
    finally:
        private_postgresql.stop(config)
    try:
        config.socket_folder.rmdir()
    except OSError:
        pass  # what a killed server left in it is cleared by the next start


def keep_marker(config: ServerConfig) -> Path:
    """Its presence keeps the servers up when the last user leaves."""
    return config.folder / "keep"


def _record(config: ServerConfig, kind: str) -> Path:
    return config.folder / f"{kind}.json"


def recorded(config: ServerConfig, kind: str) -> dict[str, Any]:
    """What was written down when the server was last started, or nothing."""
    try:
        return dict(json.loads(_record(config, kind).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _ensure(config: ServerConfig, kind: str) -> str:
    """The version of the running server, started when there is none; inside the gate."""
    places.prepare_socket_folder(config)
    version = str(SERVERS[kind].probe(config))
    if version:
        way = recorded(config, kind).get("way", config.way)
        if config.way not in {"auto", way}:
            raise ServerError(f"SERVERS={config.way}, but {kind} runs as {way}; "
                              "`manage.py servers stop` first")
        return version
    chosen = _choose(config, kind)
    holder = places.data_folder(config, chosen)
    usable = places.reachable(config, chosen)
    _set_old_log_aside(holder / "log")
    SERVERS[kind].start(config, usable, holder)
    record = {"way": usable.way, "version": usable.version, "data": str(holder),
              "programs": str(usable.folder)}
    temporary = _record(config, kind).with_suffix(".new")
    temporary.write_text(json.dumps(record), encoding="utf-8")
    temporary.replace(_record(config, kind))
    return usable.version


def _set_old_log_aside(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name("log.1"))


def _choose(config: ServerConfig, kind: str) -> binaries.Binaries:
    """The best found; of several, one that already has data, so that none is left behind."""
    found = binaries.find(kind, config.way)
    kept = other_data(config, kind)
    chosen = next((one for one in found if one.name in kept), found[0])
    if kept and chosen.name not in kept:
        print(f"arbsite: {kind} starts empty as {chosen.name}; there is data of "
              f"{', '.join(kept)}, which it cannot read", file=sys.stderr)
    return chosen


def other_data(config: ServerConfig, kind: str) -> list[str]:
    """The data folders there are, by name (way and major version)."""
    marker = {"postgresql": "data/PG_VERSION", "redis": "appendonly*"}[kind]
    roots = (config.folder, places.far_folder(config))
    found = {path.relative_to(root).parts[0]
             for root in roots for path in root.glob(f"{kind}-*/{marker}")}
    return sorted(found)


def remove(config: ServerConfig) -> None:
    """Stop the servers and delete their data, programs and sockets: everything is lost."""
    stop(config, force=True)
    for folder in (config.folder, places.far_folder(config), config.socket_folder):
        shutil.rmtree(folder, ignore_errors=True)
