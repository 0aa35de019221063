"""Where the store is, read from one URL.

============================================  =====================================================
``redis://[user:pass@]host[:port][/db]``      one server; ``rediss`` for TLS
``unix:///path[?db=n]``                       one server on a Unix socket
``redis+sentinel://h1:p1,h2:p2/master[/db]``  the primary that the Sentinels name
``redis+cluster://h1:p1,h2:p2``               a Redis Cluster that knows these nodes
============================================  =====================================================

Options in the query: ``ssl_ca_certs``, ``ssl_certfile``, ``ssl_keyfile``, ``ssl_check_hostname`` (``false``
to trust any name), ``sentinel_username``, ``sentinel_password``.
"""

import re
import ssl
from dataclasses import dataclass
from enum import Enum
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

# RFC 3986 appendix B. `urlsplit` takes no list of hosts with an IPv6 address in it.
_URL = re.compile(r"(?:([^:/?#]*)://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)

_PASSWORDS = re.compile(r"(//[^:@/?#]*:)[^/?#]*(?=@)|(sentinel_password=)[^&]*")

_DEFAULT_PORT = {"single": 6379, "sentinel": 26379, "cluster": 6379}
_OPTIONS = frozenset(
    [
        "db",
        "ssl_ca_certs",
        "ssl_certfile",
        "ssl_keyfile",
        "ssl_check_hostname",
        "sentinel_username",
        "sentinel_password",
    ]
)


class Topology(Enum):
    """What the addresses of a URL belong to."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A parsed store URL."""

    topology: Topology
    addresses: tuple[tuple[str, int], ...]
    """Hosts and ports of the server, the Sentinels or the first nodes; empty for a Unix socket."""
    path: str = ""
    """Unix socket."""
    master: str = ""
    """Name of the primary, as the Sentinels know it."""
    db: int = 0
    username: str = ""
    password: str = ""
    sentinel_username: str = ""
    sentinel_password: str = ""
    tls: bool = False
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    check_hostname: bool = True

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS settings, or None without TLS. Raises `ValueError` for a file that cannot be used."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.certificate_file:
                context.load_cert_chain(self.certificate_file, self.key_file or None)
        except OSError as error:
            raise ValueError(f"store URL: {self.ca_file} {self.certificate_file}: {error}") from error
        context.check_hostname = self.check_hostname
        return context

    def __str__(self) -> str:
        """Where it is, for people and logs: no password."""
        where = self.path or ",".join(f"{host}:{port}" for host, port in self.addresses)
        return f"{self.topology.value} {where}{'/' + self.master if self.master else ''}"


def parse_redis_url(url: str) -> Target:
    """Read a store URL. Raises `ValueError`, saying what is wrong with it, but no password."""
    parts = _split(url)
    base, _, kind = parts.scheme.partition("+")
    if base not in ("redis", "rediss", "unix") or (base == "unix" and kind):
        raise ValueError(f"store URL must begin with redis, rediss or unix, not {parts.scheme!r}")
    try:
        topology = Topology(kind or "single")
    except ValueError:
        raise ValueError(f"store URL: {kind!r} is neither sentinel nor cluster") from None
    if base != "unix" and "@" in parts.path + parts.query + parts.fragment:
        # What follows may be the end of a password: no error shows it.
        raise ValueError("store URL: / ? # @ in a user name or password should be quoted, / as %2F")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = options.keys() - _OPTIONS
    if unknown:
        raise ValueError(f"store URL: unknown option {', '.join(sorted(unknown))}")
    credentials, _, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    addresses = _addresses(hosts, _DEFAULT_PORT[topology.value]) if base != "unix" else ()
    if topology is Topology.SINGLE and len(addresses) > 1:
        raise ValueError("store URL: several servers need redis+sentinel or redis+cluster")
    master, db = _master_and_db(parts, topology, options)
    return Target(
        topology=topology,
        addresses=addresses,
        path=unquote(parts.path) if base == "unix" else "",
        master=master,
        db=db,
        username=unquote(username),
        password=unquote(password),
        sentinel_username=options.get("sentinel_username", ""),
        sentinel_password=options.get("sentinel_password", ""),
        tls=base == "rediss",
        ca_file=options.get("ssl_ca_certs", ""),
        certificate_file=options.get("ssl_certfile", ""),
        key_file=options.get("ssl_keyfile", ""),
        check_hostname=options.get("ssl_check_hostname", "true") != "false",
    )


def without_passwords(url: str) -> str:
    """Return a URL that `parse_redis_url` accepts for people and logs: `***` for each password."""
    return _PASSWORDS.sub(r"\1\2***", url)


def _split(url: str) -> SplitResult:
    scheme, netloc, path, query, fragment = _URL.fullmatch(url).groups("")  # type: ignore[union-attr]
    return SplitResult(scheme.lower(), netloc, path, query, fragment)


def _addresses(hosts: str, default_port: int) -> tuple[tuple[str, int], ...]:
    addresses = []
    for item in hosts.split(","):
        try:
            one = urlsplit(f"//{item}")
            host, port = one.hostname, one.port
        except ValueError as error:
            raise ValueError(f"store URL: bad address {item!r}: {error}") from None
        if not host:
            raise ValueError(f"store URL: no host in {item!r}")
        addresses.append((host, port or default_port))
    return tuple(addresses)


def _master_and_db(parts: SplitResult, topology: Topology, options: dict[str, str]) -> tuple[str, int]:
    path = [] if parts.scheme == "unix" else [unquote(part) for part in parts.path.split("/") if part]
    master = ""
    if topology is Topology.SENTINEL:
        if not path:
            raise ValueError("store URL: redis+sentinel needs the name of the primary as its path")
        master = path.pop(0)
    number = path.pop(0) if path else options.get("db", "0")
    if path or not number.isdecimal():
        raise ValueError(f"store URL: bad path {parts.path!r}")
    if topology is Topology.CLUSTER and int(number):
        raise ValueError("store URL: Redis Cluster has database 0 only")
    return master, int(number)
