"""Where the call-control pods are: a list in the settings, or all addresses of a name in DNS, watched."""

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

DNS_SCHEME = "dns:///"

_log = structlog.get_logger(__name__)

OnAddresses = Callable[[frozenset[str]], None]
"""Called with all addresses (gRPC targets) whenever they change."""


@dataclass(frozen=True, slots=True)
class StaticPods:
    """A fixed list of addresses."""

    addresses: frozenset[str]

    async def watch(self, on_addresses: OnAddresses) -> None:
        """Tell the addresses once."""
        on_addresses(self.addresses)


@dataclass(frozen=True, slots=True)
class DnsPods:
    """All A and AAAA records of a name, such as that of a headless Service."""

    host: str
    port: int
    interval: float
    """Seconds between two look-ups."""

    async def watch(self, on_addresses: OnAddresses) -> None:
        """Tell the addresses at first and at each change, until cancelled.

        A look-up that fails or finds nothing changes nothing: pods that answer are better evidence than DNS.
        """
        known: frozenset[str] = frozenset()
        failed = False
        while True:
            try:
                found = await self._look_up()
            except OSError as error:
                if not failed:
                    _log.warning("link.dns_failed", name=self.host, error=str(error))
                failed = True
            else:
                failed = False
                if found != known:
                    known = found
                    on_addresses(found)
            await asyncio.sleep(self.interval)

    async def _look_up(self) -> frozenset[str]:
        loop = asyncio.get_running_loop()
        records = await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        return frozenset(_target(family, str(address[0]), self.port) for family, _, _, _, address in records)


def _target(family: int, host: str, port: int) -> str:
    return f"ipv6:[{host}]:{port}" if family == socket.AF_INET6 else f"ipv4:{host}:{port}"


def pod_source(pods: str | Sequence[str], *, dns_interval: float) -> StaticPods | DnsPods:
    """Read the setting: `dns:///name:port`, or addresses as a sequence or separated by commas.

    Raises ValueError if it names no pod.
    """
    if isinstance(pods, str) and pods.startswith(DNS_SCHEME):
        host, colon, port = pods.removeprefix(DNS_SCHEME).rpartition(":")
        if not colon or not host or not port.isdecimal():
            raise ValueError(f"{pods!r}: want {DNS_SCHEME}name:port")
        return DnsPods(host.strip("[]"), int(port), dns_interval)
    return StaticPods(_addresses(pods.split(",") if isinstance(pods, str) else pods))


def _addresses(texts: Iterable[str]) -> frozenset[str]:
    addresses = frozenset(text.strip() for text in texts if text.strip())
    if not addresses:
        raise ValueError("no call-control pod is named")
    return addresses
