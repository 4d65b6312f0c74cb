"""Servers start for the first user, serve them all, and end with the last."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from arbsite import servers
from arbsite.servers import lifecycle, locks, places, private_redis, processes
from arbsite.servers.config import ServerConfig
from tests.arbsite.servers.conftest import User, ask, pids, states, variant, works

STOPPED = ("stopped", "stopped")
RUNNING = ("running", "running")
Another = Callable[..., User]


@pytest.mark.parametrize("way", ["installed", "wheel"])
def test_each_way_serves_and_leaves_nothing_running(
    config: ServerConfig, installed_redis: Path, way: str
) -> None:
    config = variant(config, way=way)
    running = servers.use(config)
    said = servers.status(config)
    assert (said["postgresql"]["way"], said["redis"]["way"]) == (way, way)
    assert running.postgresql.startswith("18." if way == "wheel" else "1")
    assert works(config)
    found = pids(config)
    servers.leave(config)
    assert states(config) == STOPPED
    assert [processes.command_of(pid) for pid in found] == ["", ""]


def test_using_twice_is_using_once(config: ServerConfig) -> None:
    servers.use(config)
    before = pids(config)
    servers.use(config)
    assert pids(config) == before
    assert len(servers.status(config)["users"]) == 1
    servers.leave(config)
    assert states(config) == STOPPED


def test_two_datasets_of_one_checkout_share_its_servers(config: ServerConfig) -> None:
    servers.use(config)
    demo, run = variant(config, dataset="demo"), variant(config, dataset="run")
    before = pids(config)
    for one in (demo, run):
        servers.use(one)
        servers.prepare_database(one, migrate=lambda config: None)
    assert pids(config) == before
    names = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database " \
            "WHERE datname LIKE 'arbsite%'"
    assert ask(config, names) == "arbsite_demo arbsite_run"


def test_the_second_user_keeps_the_servers_when_the_first_ends(
    config: ServerConfig, another: Another
) -> None:
    first = another()
    second = another()
    before = pids(config)
    first.end()
    assert works(config) and pids(config) == before
    second.end()
    assert states(config) == STOPPED


def test_racing_starters_share_one_pair_of_servers(config: ServerConfig, another: Another) -> None:
    racers = [another(go=False) for _ in range(4)]
    for racer in racers:
        racer.go()
    for racer in racers:
        racer.ready()
    assert works(config)
    assert sorted(user["pid"] for user in servers.status(config)["users"]) == \
        sorted(racer.pid for racer in racers)
    for racer in racers:
        racer.end()
    assert states(config) == STOPPED


def test_a_gate_that_stays_shut_is_said(
    config: ServerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "GATE_SECONDS", 0.2)
    with locks.gate(config), pytest.raises(servers.ServerError, match="gate.lock has been held"):
        servers.use(config)
    servers.use(config)
    assert works(config)


def test_a_log_grown_large_is_set_aside_at_the_next_start(
    config: ServerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.use(config)
    log = Path(servers.status(config)["postgresql"]["data"]) / "log"
    servers.leave(config)
    first = log.read_text()
    monkeypatch.setattr(lifecycle, "LOG_BYTES", 100)
    servers.use(config)
    assert (log.with_name("log.1")).read_text() == first and first not in log.read_text()


def test_what_a_killed_user_leaves_is_adopted_and_then_ended(
    config: ServerConfig, another: Another
) -> None:
    another().kill()
    before = pids(config)
    assert works(config)
    servers.use(config)
    assert pids(config) == before
    assert [user["pid"] for user in servers.status(config)["users"]] == [os.getpid()]
    servers.leave(config)
    assert states(config) == STOPPED


def test_ctrl_c_for_the_first_user_does_not_reach_the_servers(
    config: ServerConfig, another: Another
) -> None:
    first = another(group=True)
    second = another()
    before = pids(config)
    os.killpg(first.pid, signal.SIGINT)
    first.process.wait(30)
    assert works(config) and pids(config) == before
    second.end()
    assert states(config) == STOPPED


def test_ctrl_c_for_the_only_user_ends_the_servers(config: ServerConfig, another: Another) -> None:
    only = another(group=True)
    os.killpg(only.pid, signal.SIGINT)
    only.process.wait(30)
    assert states(config) == STOPPED


@pytest.mark.parametrize("problem", [KeyboardInterrupt, servers.ServerError("no room")])
def test_a_start_given_up_half_way_leaves_nothing_running(
    config: ServerConfig, monkeypatch: pytest.MonkeyPatch, problem: BaseException
) -> None:
    def interrupted(*arguments: object) -> None:
        raise problem

    monkeypatch.setattr(private_redis, "start", interrupted)
    with pytest.raises((KeyboardInterrupt, servers.ServerError)):
        servers.use(config)
    assert states(config) == ("running", "stopped")
    servers.leave(config)
    assert states(config) == STOPPED


def test_one_server_that_will_not_stop_does_not_save_the_other(
    config: ServerConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(config: ServerConfig) -> None:
        raise servers.ServerError("Redis (pid 1) did not stop")

    servers.use(config)
    with monkeypatch.context() as patch:
        patch.setattr(private_redis, "stop", refuses)
        servers.leave(config)
    assert states(config) == ("stopped", "running")
    assert "Redis (pid 1) did not stop" in capsys.readouterr().err


def test_a_forked_child_that_ends_leaves_its_parents_servers_alone(
    config: ServerConfig, another: Another
) -> None:
    parent = another("child = os.fork()\nif not child: sys.exit(0)\nos.waitpid(child, 0)")
    assert works(config)
    assert [user["pid"] for user in servers.status(config)["users"]] == [parent.pid]
    parent.end()
    assert states(config) == STOPPED


def test_a_forked_child_that_uses_servers_itself_counts_for_itself(
    config: ServerConfig, another: Another
) -> None:
    parent = another(
        "child = os.fork()\n"
        "if not child:\n"
        "    servers.use(config)\n"
        "    assert len(servers.status(config)['users']) == 2\n"
        "    servers.leave()\n"
        "    assert len(servers.status(config)['users']) == 1\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    assert works(config)
    parent.end()
    assert states(config) == STOPPED


def test_a_forked_child_that_outlives_its_parent_still_counts(
    config: ServerConfig, another: Another
) -> None:
    parent = another(
        "child = os.fork()\n"
        "if not child:\n"
        "    null = os.open('/dev/null', os.O_RDWR)\n"
        "    for standard in (0, 1, 2): os.dup2(null, standard)\n"
        "    time.sleep(60)\n"
        "    os._exit(0)\n"
        "Path = type(config.data_dir)\n"
        "(config.folder / 'child').write_text(str(child))"
    )
    child = int((config.folder / "child").read_text())
    try:
        parent.end()
        assert works(config)
        assert not locks.is_free(config)
        with pytest.raises(servers.ServerError, match=f"in use by .*{parent.pid}|forked"):
            servers.stop(config)
    finally:
        os.kill(child, signal.SIGKILL)
    assert processes.wait_until(lambda: locks.is_free(config), 5)


def test_started_servers_stay_up_until_they_are_stopped(
    config: ServerConfig, another: Another
) -> None:
    servers.start(config)
    another().end()
    assert works(config) and servers.status(config)["kept"]
    servers.stop(config)
    assert states(config) == STOPPED and not servers.status(config)["kept"]


def test_stop_is_refused_while_others_use_the_servers_and_names_them(
    config: ServerConfig, another: Another
) -> None:
    servers.start(config)
    user = another()
    with pytest.raises(servers.ServerError, match=f"pid {user.pid} .*-c.*--force") as caught:
        servers.stop(config)
    assert "\n" not in str(caught.value)
    assert states(config) == RUNNING
    servers.stop(config, force=True)
    assert states(config) == STOPPED


def test_ones_own_share_does_not_stand_in_the_way_of_stop(config: ServerConfig) -> None:
    servers.use(config)
    servers.stop(config)
    assert states(config) == STOPPED


def test_what_redis_held_is_there_after_a_restart(config: ServerConfig) -> None:
    servers.use(config)
    with redis.Redis.from_url(servers.redis_url(config)) as client:
        client.set("queue", "full")
    servers.leave(config)
    servers.use(config)
    with redis.Redis.from_url(servers.redis_url(config)) as client:
        assert client.get("queue") == b"full"


def test_a_data_folder_with_a_very_long_path_works(
    room: Path, made: list[ServerConfig]
) -> None:
    config = ServerConfig("test", data_dir=room / ("long name " * 12) / ("x" * 100), durable=False)
    made.append(config)
    assert len(str(config.data_dir)) > 200
    servers.use(config)
    assert works(config)


@pytest.mark.parametrize("quoting", ["it's", 'a "b"', "back\\slash", "$HOME `id`", "tab\there"])
def test_a_data_folder_with_an_odd_name_works(
    room: Path, made: list[ServerConfig], quoting: str
) -> None:
    config = ServerConfig("test", data_dir=room / quoting, durable=False)
    made.append(config)
    servers.use(config)
    assert works(config)
    servers.leave(config)
    assert states(config) == STOPPED


@pytest.mark.parametrize("fault", ["mode", "link", "file"])
def test_a_socket_folder_that_is_not_private_is_refused(
    config: ServerConfig, room: Path, fault: str
) -> None:
    folder, who = config.socket_folder, places.owner()
    if fault == "mode":
        places.prepare_socket_folder(config).chmod(0o755)
    elif fault == "link":
        (room / "elsewhere").mkdir(mode=0o700)  # private enough, but the link is not ours
        os.chown(room / "elsewhere", who.uid, who.gid)
        folder.symlink_to(room / "elsewhere")
    else:
        folder.touch()
    try:
        with pytest.raises(servers.ServerError, match=f"{folder} is not a private folder"):
            servers.use(config)
        assert not list(config.folder.glob("postgresql-*"))
    finally:
        shutil.rmtree(folder) if fault == "mode" else folder.unlink()


def test_servers_running_one_way_are_not_used_as_another(
    config: ServerConfig, installed_redis: Path
) -> None:
    servers.use(variant(config, way="wheel"))
    with pytest.raises(servers.ServerError, match="SERVERS=installed.*wheel.*servers stop"):
        servers.use(variant(config, way="installed"))
    assert servers.use(config).postgresql.startswith("18")


def test_auto_stays_with_the_data_there_is(config: ServerConfig) -> None:
    servers.use(variant(config, way="wheel"))
    servers.leave(config)
    servers.use(config)
    assert servers.status(config)["postgresql"]["way"] == "wheel"


def test_data_of_another_version_is_left_alone_and_said_in_one_line(
    config: ServerConfig, installed_redis: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    servers.use(variant(config, way="wheel"))
    servers.leave(config)
    capsys.readouterr()
    servers.use(variant(config, way="installed"))
    said = [line for line in capsys.readouterr().err.splitlines() if "postgresql" in line]
    assert len(said) == 1 and "there is data of postgresql-wheel-18" in said[0]
    assert "postgresql-wheel-18" in servers.status(config)["postgresql"]["all_data"]
    assert works(config)


def test_one_external_server_leaves_the_other_private(config: ServerConfig) -> None:
    config = variant(config, redis_url="redis://127.0.0.1:1")
    assert servers.use(config).redis == "external"
    assert states(config) == ("running", "external")
    assert not config.redis_socket.exists()


def test_status_of_a_running_pair_names_everything(config: ServerConfig) -> None:
    servers.use(config)
    said = servers.status(config)
    for kind, socket in (("postgresql", config.postgresql_socket), ("redis", config.redis_socket)):
        one = said[kind]
        assert one["socket"] == str(socket) and Path(one["data"]).is_dir()
        assert one["version"].startswith(one["data"].rpartition("-")[2])
    assert said["postgresql"]["size_bytes"] > 10 * 2**20
    assert said["users"][0]["pid"] == os.getpid()
