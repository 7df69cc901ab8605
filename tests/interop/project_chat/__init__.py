"""A client of the v1 protocol, written from docs/PROTOCOL.md alone."""

from .client import Client
from .inbox import Inbox
from .link import Closed, Refused
from .polling import Poller
from .replica import Replica

__all__ = ["Client", "Closed", "Inbox", "Poller", "Refused", "Replica"]
