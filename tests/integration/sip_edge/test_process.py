"""The edge as a process: exit status, one-line errors, SIGTERM, quick restart on the same address."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

from support.ports import free_port
from support.processes import wait_until

COMMAND = [sys.executable, "-m", "sip_edge"]


def environment(**settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIP_EDGE_")}
    return kept | {f"SIP_EDGE_{name}": value for name, value in settings.items()}


def answer(port: int, path: str) -> int:
    """The HTTP status of a probe, 0 while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def test_an_unknown_setting_is_one_line_and_status_2() -> None:
    done = subprocess.run(
        COMMAND, env=environment(LISTN="x"), capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "sip-edge: SIP_EDGE_LISTN: is not a setting, did you mean SIP_EDGE_LISTEN?\n"


def test_lives_drains_and_starts_again_at_once() -> None:
    sip, http, nobody = free_port(), free_port(), free_port()
    settings = environment(
        LISTEN=f"udp:127.0.0.1:{sip},tcp:127.0.0.1:{sip}",
        HTTP=f"127.0.0.1:{http}",
        CALL_CONTROL=f"127.0.0.1:{nobody}",
        ID="edge-0",
    )
    for _ in range(2):
        process = subprocess.Popen(
            COMMAND, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            wait_until(lambda: answer(http, "/livez") == 200, timeout=15, what="/livez")
            assert answer(http, "/readyz") == 503, "no call-control has greeted it"
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=15)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, output
        assert "listener.bound" in output
