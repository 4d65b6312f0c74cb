"""What servers refuse with: one readable line each."""


class ServerError(Exception):
    """Why a server cannot be used, in one line that says what to do."""


class DatasetMismatch(ServerError):
    """A database that holds one dataset was asked to serve as another."""
