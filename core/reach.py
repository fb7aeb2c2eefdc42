"""Where webhooks may go: public addresses over https, and what the server's operator has opened beside them."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from core.errors import ForbiddenError, ValidationError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SETTING = "FLAKEGUARD_WEBHOOK_NETWORKS"
LONGEST = 2000
_NAT64 = ip_network("64:ff9b::/96")


class UnreachableError(ForbiddenError):
    """Webhooks may not go to this address."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What is open beside public addresses: there plain http will do."""

    networks: tuple[Network, ...] = ()
    at_home: bool = False
    """A server only for its own machine reaches that machine too."""

    def check_url(self, text: str) -> str:
        """The address of an endpoint as it may be kept. What its name resolves to is checked at every connect."""
        text = text.strip()
        parts = _parts(text)
        host = parts.hostname or ""
        if parts.username is not None or parts.password is not None:
            raise ValidationError("An endpoint's URL holds no user and no password.", field="url")
        literal = _literal(host)
        if literal is not None:
            self.check(literal, plain=parts.scheme == "http")
        elif parts.scheme == "http" and not self.networks:
            raise ValidationError(f"Write https://; plain http needs {SETTING}.", field="url")
        return text.partition("#")[0]

    def check(self, address: Address, *, plain: bool) -> None:
        """UnreachableError unless a webhook may be sent there, `plain` without TLS."""
        meant = inner(address)
        if (self.at_home and meant.is_loopback) or any(meant in one for one in self.networks):
            return
        if not public(meant):
            raise UnreachableError(
                f"{address} is not a public address; {SETTING} opens a network of your own.", field="url"
            )
        if plain:
            raise UnreachableError(
                f"{address} is outside the networks of {SETTING}; write https://.", field="url"
            )


def reach_of(networks: Iterable[str], *, at_home: bool) -> Reach:
    """By the operator's words for networks."""
    return Reach(tuple(map(ip_network, networks)), at_home=at_home)


def inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does: the packet ends there."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address


def public(address: Address) -> bool:
    """True for an address anybody on the internet could have; not for private, link-local, metadata and the like."""
    local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (local or address.is_multicast or address.is_reserved)


def _parts(text: str) -> SplitResult:
    if len(text) > LONGEST or not (text.isascii() and text.isprintable()) or " " in text:
        raise ValidationError(f"An endpoint's URL has at most {LONGEST} plain ASCII characters.", field="url")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises when it is not a number
    except ValueError as error:
        raise ValidationError("This is not a URL.", field="url") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or "\\" in text:
        raise ValidationError(
            "An endpoint's URL looks like https://hooks.example.com/flakeguard.", field="url"
        )
    return parts


def _literal(host: str) -> Address | None:
    if host == "localhost" or host.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(host)
    except ValueError:
        return None
