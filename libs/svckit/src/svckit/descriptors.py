"""Fields of protobuf messages, held so that they are not made anew whenever a repeated one is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google._upb._message import Descriptor as FastDescriptor
    from google.protobuf.descriptor import Descriptor

_held: dict[str, object] = {}


def hold(*messages: Descriptor | FastDescriptor) -> None:
    """Hold the descriptors of messages, and of all that they contain, as long as the process lives.

    Each look at a repeated field asks for its descriptor. One that nobody holds is made for that look and
    dropped after it, which takes as long as the look itself.
    """
    for message in messages:
        if message.full_name in _held:
            continue
        _held[message.full_name] = message, list(message.fields)
        for field in message.fields:
            if field.message_type is not None:
                hold(field.message_type)
