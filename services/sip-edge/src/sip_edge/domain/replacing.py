"""INVITEs that are to take the place of a dialog (Replaces, RFC 3891): which one, and so which call."""

from sipcore.errors import GrammarError
from sipcore.message import Request
from sipcore.transfer import parse_replaces


def names_a_dialog(request: Request) -> bool:
    """Whether an INVITE has a Replaces at all."""
    return "replaces" in request.headers.index


def replaced_tag(request: Request) -> str:
    """The tag of our side of the dialog. Raises `GrammarError` for a malformed Replaces, or more than one."""
    values = request.headers.index["replaces"]
    if len(values) != 1:
        raise GrammarError("more than one Replaces")
    return parse_replaces(values[0]).to_tag
