"""Seeds that found something, with what they found. They stay.

The same seed is the same run only with the same edition of the tables (`plan.EDITIONS`); what the product
sends decides as well which packets a run loses.
"""

from typing import NamedTuple


class Found(NamedTuple):
    """A seed, the edition of its plan, and what was wrong."""

    seed: int
    edition: int
    what: str


FOUND = (
    Found(3, 1, "an end that was written back to a store that had lost it left the merge marker there"),
    Found(
        27, 1, "an INVITE whose report was lost with its edge was sent again by another one: a merged request"
    ),
    Found(
        46,
        1,
        "a call that was ended by an old record while the store was away was not ended by the newer one",
    ),
    Found(69, 1, "the second command without an id, here an ACK, was taken for a repetition of the first"),
    Found(128, 1, "a provisional answer for another edge made a transaction that nobody ended"),
    Found(
        165,
        1,
        "nobody repeated an INVITE, nor gave it up, when its edge was started anew before the callee spoke",
    ),
    Found(
        175,
        1,
        "an INVITE that the callee had answered with 100 was given up after 33 s: its report was not stored",
    ),
    Found(192, 1, "a 200 meant nothing to the old record of the home pod, and was acknowledged all the same"),
    Found(
        204,
        1,
        "commands that were given without the store had the numbers of those that another pod gave with it",
    ),
    Found(241, 1, "a BYE meant nothing to an old record, and was acknowledged all the same"),
    Found(
        285,
        1,
        "a pod with an old record ended a call without the store, though the home of the call had the newest",
    ),
    Found(325, 1, "a late copy of an INVITE at another edge got no answer, and kept its transaction"),
    Found(763, 1, "a late copy of the INVITE of a call that was over got 481 behind the 200"),
    Found(
        795,
        1,
        "a new call was refused although the store had taken it: the callee was called and nobody was there",
    ),
    Found(2092, 1, "an attempt that was given up with its edge ended the next one, which rang, with 408"),
    Found(2530, 1, "a 2xx that was lost with its edge was given again only 33 s later, when it was too late"),
    Found(3589, 1, "two pods had one INVITE sent by two edges: a stream broke between commit and emit"),
    Found(
        3953, 1, "a command of a record that the store had lost had the number of another, and was not done"
    ),
    Found(4075, 1, "an INVITE that was offered again behind its CANCEL got 481"),
    Found(
        8724,
        1,
        "a copy of a merged request, that came while the store was asked, got no answer and opened a call",
    ),
    Found(21275, 1, "nobody said that an edge breaks the streams to a pod that stands still for long"),
    Found(22423, 1, "a refusal was lost, and its edge died before it could repeat it"),
    Found(22701, 1, "a re-INVITE was sent again by an edge that was started anew, and refused"),
    Found(40328, 1, "a re-INVITE that an edge had answered with 100 was lost with it"),
    Found(8524, 1, "a pod that was back sent a BYE by the first edge that was there, and by that of the leg"),
    Found(71256, 1, "a pod was taken for useful before its edge had noticed that it had died"),
    Found(5113, 1, "the refusal of a CANCELled INVITE was lost, and its edge died before it could repeat it"),
    Found(7004, 1, "a BYE was sent again by another edge: the one that sent it had lost its stream"),
    Found(7581, 1, "a MESSAGE was sent again by the first edge that a pod which was back had"),
    Found(
        22662, 1, "a pod that woke up gave a BYE to another edge: its own streams to the first were broken"
    ),
    Found(22901, 1, "the refusal of a re-INVITE was lost with its edge"),
)
