"""The command line and the INI file: what they set, in which order, and one line for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from b2bua_allinone.radius.options import OPTIONS, RadiusOptions
from b2bua_allinone.radius.reading import OptionError, read_command_line

WriteFile = Callable[[str], str]


def read(*arguments: str) -> RadiusOptions:
    return read_command_line(arguments).options


@pytest.fixture
def ini(tmp_path: Path) -> WriteFile:
    """Write an INI file and return its name."""

    def write(text: str) -> str:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.ini"
        path.write_text(text)
        return str(path)

    return write


def test_nothing_given_is_the_defaults() -> None:
    options = read()
    assert [getattr(options, row.field) for row in OPTIONS] == [row.default for row in OPTIONS]


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (["-f"], "foreground", True),
        (["--foreground=on"], "foreground", True),
        (["-f", "--foreground=OFF"], "foreground", False),
        (["-l", "127.0.0.1"], "sip_address", "127.0.0.1"),
        (["-l[::1]"], "sip_address", "[::1]"),
        (["-l", "127.0.0.1", "--sip_address=*"], "sip_address", ""),
        (["-p", "5070"], "sip_port", 5070),
        (["-fp5070"], "sip_port", 5070),
        (["--sip_po=5070"], "sip_port", 5070),
        (["-P", "/run/x.pid"], "pidfile", "/run/x.pid"),
        (["-D"], "digest_auth", False),
        (["-u"], "auth_enable", False),
        (["-u", "--auth_enable=yes"], "auth_enable", True),
        (["--digest_auth=no"], "digest_auth", False),
        (["--ui=on"], "ui", True),
        (["-a", "192.0.2.1, 192.0.2.2"], "accept_ips", ("192.0.2.1", "192.0.2.2")),
        (["-t", "s/^00//;s/^1//"], "static_tr_in", "s/^00//;s/^1//"),
        (["--alive_acct_int=-1"], "alive_acct_int", -1),
        (["-m", "3600"], "max_credit_time", 3600),
        (["-r", "udp:h", "-r", "/run/a,/run/b"], "rtp_proxy_clients", ("udp:h", "/run/a", "/run/b")),
        (["-r", "udp:h", "--rtp_proxy_clients=/run/a"], "rtp_proxy_clients", ("/run/a",)),
        (["-r", "udp:h", "--rtp_proxy_client=/run/a"], "rtp_proxy_clients", ("/run/a",)),
        (["--rtp_proxy=/run/a"], "rtp_proxy_clients", ("/run/a",)),
        (["-h", "X-A", "-h", "x-b,X-*"], "pass_headers", ("X-A", "x-b", "X-*")),
        (["-h", "X-A", "--pass_headers=X-B"], "pass_headers", ("X-B",)),
        (["-F", "0,8,[telephone-event/8000]"], "allowed_pts", ("0", "8", "[telephone-event/8000]")),
        (["-R", "/etc/r.conf"], "radiusclient_conf", "/etc/r.conf"),
        (["--radiusclient=/etc/r.conf"], "radiusclient_conf", "/etc/r.conf"),
        (["-c", "tcp:127.0.0.1"], "b2bua_socket", "tcp:127.0.0.1"),
        (["-H"], "hide_call_id", True),
        (["-x", "HDR2Xattrs[X-Foo]"], "pre_auth_proc", "HDR2Xattrs[X-Foo]"),
        (["--sip_proxy=reg.example.com"], "sip_proxy", "reg.example.com:5060"),
        (["--wss_socket=[::1]:443:/c.pem:/k.pem"], "wss_socket", "[::1]:443:/c.pem:/k.pem"),
        (["--xmpp_b2bua_id=4"], "xmpp_b2bua_id", 4),
        (["--uiparams=host=h;port=1"], "uiparams", "host=h;port=1"),
        (["-d", "anything", "-f"], "foreground", True),
        (["--", "-f"], "foreground", True),
    ],
)
def test_an_option_sets_its_value(arguments: list[str], field: str, value: object) -> None:
    assert getattr(read(*arguments), field) == value


@pytest.mark.parametrize(
    ("number", "accounting"), [("0", (False, False)), ("1", (True, False)), ("2", (True, True))]
)
def test_accounting_in_one_digit(number: str, accounting: tuple[bool, bool]) -> None:
    options = read("-A", number)
    assert (options.acct_enable, options.start_acct_enable) == accounting


@pytest.mark.parametrize(
    ("number", "periods"), [("0", (0, 0)), ("1", (32, 0)), ("2", (0, 32)), ("3", (32, 32))]
)
def test_keepalive_in_one_digit(number: str, periods: tuple[int, int]) -> None:
    options = read("--keepalive_ans=7", "-k", number)
    assert (options.keepalive_ans, options.keepalive_orig) == periods


class TestRoutes:
    def test_short_options_are_tried_in_order(self) -> None:
        routes = read("-s", "192.0.2.1", "-f", "-s", "192.0.2.2:5070").static_route
        assert routes == ("192.0.2.1", "192.0.2.2:5070")

    def test_one_value_holds_several(self) -> None:
        routes = read("--static_route=192.0.2.1;hs_scodes=486,603  192.0.2.2").static_route
        assert routes == ("192.0.2.1;hs_scodes=486,603", "192.0.2.2")

    def test_the_command_line_overrides_the_file(self, ini: WriteFile) -> None:
        file = ini("[general]\nstatic_route = 192.0.2.1\n")
        assert read("-C", file, "-s", "192.0.2.2", "-s", "192.0.2.3").static_route == (
            "192.0.2.2",
            "192.0.2.3",
        )

    def test_the_file_overrides_what_stands_before_it(self, ini: WriteFile) -> None:
        file = ini("[general]\nstatic_route = 192.0.2.1\n")
        assert read("-s", "192.0.2.2", "-C", file, "-s", "192.0.2.3").static_route == ("192.0.2.3",)

    def test_lines_of_a_file(self, ini: WriteFile) -> None:
        file = ini("[general]\nstatic_route =\n  192.0.2.1\n  192.0.2.2:5070\n")
        assert read("-C", file).static_route == ("192.0.2.1", "192.0.2.2:5070")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", "0"], "-p (--sip_port) should be a port from 1 to 65535"),
        (["--sip_port=65536"], "--sip_port should be a port from 1 to 65535"),
        (["--sip_port"], "--sip_port needs a value: --sip_port=PORT"),
        (["--foreground"], "--foreground needs a value: --foreground=on|off"),
        (["--sip_port", "5060"], "--sip_port needs a value"),
        (["--foreground=maybe"], "--foreground should be on or off"),
        (["-p"], "-p needs a value"),
        (["-z"], "-z is not an option"),
        (["--zebra=1"], "--zebra is not an option"),
        (["--=1"], "-- is not an option"),
        (["--acct=3"], "--acct_enable should"),
        (["--static=1"], "--static could be any of --static_route, --static_tr_in, --static_tr_out"),
        (["--keepalive_=1"], "--keepalive_ could be any of"),
        (["-A", "3"], "-A should be one of 0, 1, 2"),
        (["-k", "4"], "-k should be one of 0, 1, 2, 3"),
        (["-m", "0"], "-m (--max_credit_time) should be a number of seconds above 0"),
        (["--keepalive_ans=-1"], "--keepalive_ans should be a number of seconds, 0 or more"),
        (["--xmpp_b2bua_id=x"], "--xmpp_b2bua_id should be a whole number"),
        (["-F", "0,x"], "-F (--allowed_pts)"),
        (["-F", "128"], "-F (--allowed_pts)"),
        (["-h", "X A"], "-h (--pass_headers)"),
        (["-t", "s/a"], "-t (--static_tr_in)"),
        (["-t", "s/(/x/"], "-t (--static_tr_in)"),
        (["-x", "Nonsense[]"], "-x (--pre_auth_proc)"),
        (["-l", "::1"], "-l (--sip_address)"),
        (["-l", "host.example"], "-l (--sip_address) should be an IP address"),
        (["-c", ""], "-c (--b2bua_socket)"),
        (["-c", "tcp:"], "-c (--b2bua_socket)"),
        (["-s", "192.0.2.1:0"], "-s (--static_route): route 1: a route should begin with"),
        (["-s", ""], "-s (--static_route)"),
        (["-L", "a\nb"], "-L (--logfile) should have no control characters"),
        (["-P", "a\0b"], "-P (--pidfile) should have no control characters"),
        (["--wss_socket=h:443:c"], "--wss_socket"),
        (["-W", ""], "-W should be the name of a file"),
        (["stray"], "'stray' is not an option"),
        (["-C", "/nonexistent/x.ini"], "-C: cannot read '/nonexistent/x.ini': No such file"),
        (["--config=/nonexistent/x.ini"], "--config: cannot read"),
        (["--config"], "--config needs a value: --config=FILE"),
        (["--c=/nonexistent"], "--config: cannot read"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_option(arguments: list[str], said: str) -> None:
    with pytest.raises(OptionError) as raised:
        read(*arguments)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


class TestIniFile:
    def test_keys_are_the_long_names(self, ini: WriteFile) -> None:
        options = read(
            "-C", ini("[general]\n# words\nsip_port = 5070\nradiusclient.conf = /etc/r\nui: off\n")
        )
        assert (options.sip_port, options.radiusclient_conf, options.ui) == (5070, "/etc/r", False)

    def test_it_is_read_where_it_stands(self, ini: WriteFile) -> None:
        file = ini("[general]\nsip_port = 5070\n")
        assert read("-p", "1", "-C", file).sip_port == 5070
        assert read("-C", file, "-p", "1").sip_port == 1

    def test_values_are_raw(self, ini: WriteFile) -> None:
        assert read("-C", ini("[general]\nlogfile = /log/%(x)s\n")).logfile == "/log/%(x)s"

    def test_lists_replace(self, ini: WriteFile) -> None:
        assert read("-h", "X-A", "-C", ini("[general]\npass_headers = X-B\n")).pass_headers == ("X-B",)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[general]\nsip_port = many\n", "sip_port should be a port"),
            ("[general]\ncolour = blue\n", "'colour' is not an option"),
            ("[general]\nsip_por = 5060\n", "'sip_por' is not an option"),
            ("[general]\nconfig = other\n", "'config' is not an option"),
            ("[general]\nsip_port\n", "should be an INI file"),
            ("[general]\nui = on\nui = off\n", "line 3: should be an INI file"),
            ("[special]\nui = on\n", "one [general] section"),
            ("ui = on\n", "should be an INI file"),
        ],
    )
    def test_what_is_wrong_is_one_line(self, ini: WriteFile, text: str, said: str) -> None:
        file = ini(text)
        with pytest.raises(OptionError) as raised:
            read("-C", file)
        assert said in str(raised.value)
        assert file in str(raised.value)
        assert "\n" not in str(raised.value)

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.ini"
        path.write_bytes(b"[general]\nui = \xff\n")
        with pytest.raises(OptionError, match="UTF-8"):
            read("-C", str(path))

    def test_endless_files(self) -> None:
        with pytest.raises(OptionError, match="at most"):
            read("-C", "/dev/zero")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-s", "nosuch/host;auth=user:opensesame;expires=1"],
        ["-f", "192.0.2.1;auth=user:opensesame"],
        ["--static_rout=a/b;auth = user:opensesame"],
        ["-s", "192.0.2.1;auth=user:open;sesame;opensesame"],
        ["-s", "192.0.2.1;auth=opensesame"],
        ["-t", "x", "-s", "h;auth=user:opensesame"],
    ],
)
def test_passwords_are_never_shown(arguments: list[str]) -> None:
    with pytest.raises(OptionError) as raised:
        read(*arguments)
    assert "opensesame" not in str(raised.value)


def test_a_file_with_a_password_is_not_quoted(ini: WriteFile) -> None:
    with pytest.raises(OptionError) as raised:
        read("-C", ini("[general]\nstatic_route\n 192.0.2.1;auth=user:opensesame\n"))
    assert "opensesame" not in str(raised.value)
