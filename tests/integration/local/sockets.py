"""Which addresses something listens on, read from the kernel."""

import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LISTEN = "0A"


def listening() -> Iterator[tuple[str, int, int]]:
    """Address, port and inode of every listening TCP socket.

    Where the kernel does not tell (other than Linux), the test is skipped.
    """
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            pytest.skip("needs /proc/net/tcp")
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN:
                address, _, port = fields[1].partition(":")
                yield _address(address), int(port, 16), int(fields[9])


def listening_addresses(port: int) -> set[str]:
    """The addresses on which something listens at this port."""
    return {address for address, found, _ in listening() if found == port}


def addresses_of(pid: int) -> set[str]:
    """The addresses on which the processes of this session listen, at any port."""
    inodes = {inode for each in _session(pid) for inode in _sockets(each)}
    return {address for address, _, inode in listening() if inode in inodes}


def _session(leader: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == leader:
            yield int(stat.parent.name)


def _sockets(pid: int) -> Iterator[int]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            yield int(target[8:-1])


def _address(text: str) -> str:
    # The kernel prints each 32-bit word of an address as a number in the byte order of the machine.
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(word.to_bytes(4, sys.byteorder) for word in words))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
