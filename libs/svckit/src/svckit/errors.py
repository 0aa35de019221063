"""The few errors that a service reports to whoever started it."""

from __future__ import annotations


class ServiceError(Exception):
    """Ends the process with one line on stderr and `exit_status`; all else is a bug and a traceback."""

    exit_status = 1


class SettingsError(ServiceError):
    """A setting is wrong.

    `name` is what the operator typed (the environment variable), `problem` says what it should be.
    """

    exit_status = 2

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.name = name
        self.problem = problem


class StartError(ServiceError):
    """The settings are well-formed, but the world does not allow them: an address in use, a store of another
    shape.
    """
