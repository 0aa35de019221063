"""Transactions without I/O: `now` in, actions and the next deadline out; the caller keeps the messages."""

from sipcore.transaction.client import ClientTransaction
from sipcore.transaction.provisional import ReliableProvisional
from sipcore.transaction.server import ServerTransaction
from sipcore.transaction.tables import Action, ClientState, ServerState

__all__ = [
    "Action",
    "ClientState",
    "ClientTransaction",
    "ReliableProvisional",
    "ServerState",
    "ServerTransaction",
]
