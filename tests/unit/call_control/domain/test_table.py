"""Every pair of the call table is decided."""

from itertools import product

import pytest

from call_control.domain.kinds import Kind
from call_control.domain.table import CALL_TABLE, IGNORED, STATES


@pytest.mark.parametrize(("state", "kind"), list(product(STATES, Kind)))
def test_each_pair_is_either_handled_or_ignored(state: int, kind: Kind) -> None:
    assert ((state, kind) in CALL_TABLE) != ((state, kind) in IGNORED)
