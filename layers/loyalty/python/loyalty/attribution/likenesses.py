"""What may be shared with others: by it screening sees that several members may be one person.

Each kind of likeness has one spelling, :func:`spellings_of`, and is kept as its keyed hash alone, :func:`likenesses_of`:

- ``email_like``: the mailbox that an address leads to. Tags go (``ada+shop@``); at the providers in :data:`_PROVIDERS` also the
  characters that they do not look at, and other names of the same domain.
- ``email_stem``: the same without digits, where three letters are left: ``ada.l1990@`` and ``ada.l1991@`` have one.
- ``device``, ``payment``: ids that an app or a payment provider gave. All zeros, as of a device that is not to be told, are none,
  nor is what apps send that know none.
- ``address``: the words and numbers of a postal address, without accents and signs, in alphabetical order.
- ``phone``: the number, as it is looked up by; :mod:`loyalty.members` adds it.
- ``network``: the first 24 bits of an IPv4 address, 48 of IPv6; none where the address is a private one.

Likenesses decide nothing by themselves. Nobody is found by them, and two mailboxes with one likeness are two members.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from loyalty.core.pii import Lookups, normal_email

EMAIL_LIKE: Final = "email_like"
EMAIL_STEM: Final = "email_stem"
DEVICE: Final = "device"
PAYMENT: Final = "payment"
ADDRESS: Final = "address"
NETWORK: Final = "network"
SIGNALS: Final = frozenset({DEVICE, PAYMENT, ADDRESS, NETWORK})
"""Kinds of which a profile says nothing."""
DISPOSABLE_EMAIL: Final = "disposable_email"
"""The flag of an address at a provider of throw-away mailboxes."""

_DIGEST_HEX: Final = 24
"""96 bits: no two of billions meet by chance, and a profile with all kinds stays below 1 KB, above which each write costs twice."""
_LEAST_STEM: Final = 3
"""Letters of a stem: of ``12345@`` nothing is left that could be alike, and at some providers all addresses are numbers."""
_IPV4_BITS: Final = 24
_IPV6_BITS: Final = 48
_UNSHARED: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "::/127", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
"""Addresses of no network that others can see: with these, everybody behind any router would be alike."""


_NO_IDS: Final = frozenset(
    {"undefined", "anonymous", "unavailable", "not-available", "not_available", "9774d56d682e549c"}
)
"""What apps send that know none, and what a generation of Android telephones all said of themselves: nobody is alike by these."""


@dataclass(frozen=True, slots=True)
class _Provider:
    """How a provider reads addresses: under which name, which characters it ignores, behind which one a tag begins."""

    domain: str
    ignored: str = ""
    tag: str = "+"


_GMAIL: Final = _Provider("gmail.com", ignored=".")
_PROTON: Final = _Provider("proton.me", ignored="._-")
_PROVIDERS: Final[Mapping[str, _Provider]] = {
    "gmail.com": _GMAIL,
    "googlemail.com": _GMAIL,
    "proton.me": _PROTON,
    "protonmail.com": _PROTON,
    "pm.me": _PROTON,
    **{name: _Provider(name, tag="-") for name in ("yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.it")},
}


@dataclass(frozen=True, slots=True, repr=False)
class Signals:
    """What an app knows of how somebody came: all of it is personal, hence no ``repr``; None: not sent."""

    device: str | None = None
    ip: str | None = None
    payment: str | None = None
    address: str | None = None


def likenesses_of(program: str, lookups: Lookups, email: str, signals: Signals | None = None) -> dict[str, str]:
    """Keyed hashes by kind; kinds of which nothing is known are left out."""
    spelled = spellings_of(email, signals or Signals())
    return {kind: lookups.digest(program, kind, value)[:_DIGEST_HEX] for kind, value in spelled.items()}


def spellings_of(email: str, signals: Signals) -> dict[str, str]:
    """The one spelling of each kind, in the clear: to be hashed at once."""
    mailbox = mailbox_of(email)
    spelled = {
        EMAIL_LIKE: mailbox,
        EMAIL_STEM: _stem(mailbox),
        DEVICE: _id(signals.device),
        PAYMENT: _id(signals.payment),
        ADDRESS: _address(signals.address),
        NETWORK: network_of(signals.ip),
    }
    return {kind: value for kind, value in spelled.items() if value}


def mailbox_of(email: str) -> str:
    """The address under which a provider keeps what is sent to ``email``, as far as it is known how it reads addresses.

    Raises:
        ValueError: not an e-mail address.
    """
    local, _, domain = normal_email(email).rpartition("@")
    provider = _PROVIDERS.get(domain, _Provider(domain))
    kept = local.partition(provider.tag)[0].partition("+")[0]
    kept = "".join(one for one in kept if one not in provider.ignored)
    return f"{kept or local}@{provider.domain}"


def network_of(ip: str | None) -> str:
    """The network that an address is in; nothing where it is none, or of a private one."""
    if not ip:
        return ""
    address = ipaddress.ip_address(ip.strip())
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in _UNSHARED):
        return ""
    bits = _IPV4_BITS if address.version == 4 else _IPV6_BITS
    return str(ipaddress.ip_network((address, bits), strict=False))


def is_disposable(email: str) -> bool:
    """Whether an address is at a provider of throw-away mailboxes, or at a name below one of its."""
    from disposable_email_domains import blocklist  # noqa: PLC0415 - ten thousand names, for enrollments alone

    labels = normal_email(email).rpartition("@")[2].split(".")
    return any(".".join(labels[place:]) in blocklist for place in range(len(labels) - 1))


def flags_of(email: str) -> dict[str, int]:
    """What is known of an address and is no hash."""
    return {DISPOSABLE_EMAIL: 1} if is_disposable(email) else {}


def _stem(mailbox: str) -> str:
    local, _, domain = mailbox.rpartition("@")
    letters = re.sub(r"\d", "", local)
    return f"{letters}@{domain}" if sum(map(str.isalpha, letters)) >= _LEAST_STEM else ""


def _id(text: str | None) -> str:
    """An id as it came. Case matters: some are Base64."""
    written = (text or "").strip()
    said = {one for one in written.casefold() if one.isalnum()}
    return written if len(said) > 1 and written.casefold() not in _NO_IDS else ""


def _address(text: str | None) -> str:
    plain = unicodedata.normalize("NFKD", text or "").casefold()
    return " ".join(sorted(re.findall(r"\w+", "".join(one for one in plain if not unicodedata.combining(one)))))
