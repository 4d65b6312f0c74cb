"""Logins that a new installation starts with, their password kept where its owner can read it."""

import os
import secrets
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from arbsite import roles

OWNER = {"demo": "demo"}  # by dataset; elsewhere it is `admin`


def owner(dataset: str) -> str:
    """The name of the login that may do everything."""
    return OWNER.get(dataset, "admin")


def ensure(dataset: str, folder: Path) -> str:
    """Create what is missing and return the password of those created here, or nothing.

    The demo gets one login a role besides its owner, all with the same password. A `run` gets
    its owner only when it has no user at all; a password a person has changed is theirs.
    """
    names = {owner(dataset): ""}
    if dataset == "demo":
        names |= {role.split()[0]: role for role in roles.ROLES}
    elif get_user_model().objects.exists() and not _path(folder).exists():
        return ""
    password = _password(folder)
    for name, role in names.items():
        _create(name, role, password)
    user = get_user_model().objects.filter(username=owner(dataset)).first()
    return password if user and user.check_password(password) else ""


def _path(folder: Path) -> Path:
    return folder / "login"


def _password(folder: Path) -> str:
    path = _path(folder)
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    password = "-".join(secrets.token_hex(2) for _ in range(3))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password + "\n")
    return password


def _create(name: str, role: str, password: str) -> None:
    users = get_user_model().objects
    if users.filter(username=name).exists():
        return
    if role:
        users.create_user(name, password=password).groups.add(Group.objects.get(name=role))
    else:
        users.create_superuser(name, password=password)
