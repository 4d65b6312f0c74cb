"""What servers refuse with: one readable line each."""

from arbsite.env import SettingError


class ServerError(Exception):
    """Why a server cannot be used, in one line that says what to do."""


class WrongSetting(ServerError, SettingError):
    """A variable that says what servers to use holds something that is not allowed."""


class DatasetMismatch(ServerError):
    """A database that holds one dataset was asked to serve as another."""
