"""What runs, how, where, and who uses it."""

from pathlib import Path
from typing import Any

from arbsite.servers import locks
from arbsite.servers.config import ServerConfig
from arbsite.servers.lifecycle import SERVERS, keep_marker, other_data, private_kinds, recorded


def status(config: ServerConfig) -> dict[str, Any]:
    """State, way, version, pid, socket, data folder and size of each server, and the users."""
    said: dict[str, Any] = {kind: _status_of(config, kind) for kind in SERVERS}
    return said | {
        "users": locks.users(config),
        "kept": keep_marker(config).exists(),
        "dataset": config.dataset,
        "folder": str(config.folder),
    }


def _status_of(config: ServerConfig, kind: str) -> dict[str, Any]:
    if kind not in private_kinds(config):
        return {"state": "external", "way": "external"}
    record = recorded(config, kind)
    version = SERVERS[kind].probe(config)
    socket = {"postgresql": config.postgresql_socket, "redis": config.redis_socket}[kind]
    data = Path(record["data"]) if record else None
    return {
        "state": "running" if version else "stopped",
        "way": record.get("way", config.way),
        "version": version or record.get("version"),
        "pid": SERVERS[kind].pid(config) or None,
        "socket": str(socket),
        "data": str(data) if data else None,
        "size_bytes": _size(data) if data else 0,
        "all_data": other_data(config, kind),
    }


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:
            continue  # a file that went while we looked
    return total
