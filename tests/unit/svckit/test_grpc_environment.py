"""How gRPC shall run is settled before anybody imports it."""

import subprocess
import sys

import pytest

_WATCH = """
import importlib, os, sys

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "grpc":
            print(os.environ.get("GRPC_EXPERIMENTS"))

sys.meta_path.insert(0, Watch())
importlib.import_module(sys.argv[1])
"""


@pytest.mark.parametrize("module", ["sip_edge.app", "call_control.app"])
@pytest.mark.parametrize(
    ("given", "seen"),
    [({}, "-event_engine_client,-event_engine_listener"), ({"GRPC_EXPERIMENTS": ""}, "")],
)
def test_the_environment_is_set_before_grpc_is_imported(
    module: str, given: dict[str, str], seen: str
) -> None:
    command = [sys.executable, "-c", _WATCH, module]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=True)
    assert done.stdout == f"{seen}\n"
