"""The dialogs of an attempt before its answer: one for each branch of a fork that rings (RFC 3261 12.1.2).

The one that spoke last is the early dialog of the leg, with the others inside it.
"""

from __future__ import annotations

from b2bua.callcontrol.v1 import call_pb2 as record

#: Of more branches the oldest are forgotten: what they say next begins anew.
_MAX_OTHERS = 8


def of_tag(leg: record.Leg, tag: str) -> record.EarlyDialog | None:
    """Return the early dialog with the peer that has a tag."""
    dialogs = [leg.early, *leg.early.others] if leg.HasField("early") else []
    return next((one for one in dialogs if one.remote_tag == tag), None)


def of_withheld_prack(leg: record.Leg) -> str | None:
    """Return the tag of the branch whose PRACK waits for the caller's."""
    dialogs = [leg.early, *leg.early.others] if leg.HasField("early") else []
    return next((one.remote_tag for one in dialogs if one.prack_withheld), None)


def turn_to(leg: record.Leg, tag: str) -> record.EarlyDialog:
    """Make the early dialog with a tag, known or new, the one of the leg."""
    if leg.early.remote_tag == tag:
        return leg.early
    last = record.EarlyDialog.FromString(leg.early.SerializeToString())
    others = [one for one in last.others if one.remote_tag != tag]
    known = next((one for one in last.others if one.remote_tag == tag), None)
    leg.early.CopyFrom(known or record.EarlyDialog(remote_tag=tag))
    if last.remote_tag:
        del last.others[:]
        others.append(last)
    leg.early.others.extend(others[-_MAX_OTHERS:])
    return leg.early
