"""How what may be shared with others is spelled, and that nothing of it is kept but keyed hashes."""

import pytest

from loyalty.attribution.likenesses import Signals, is_disposable, likenesses_of, mailbox_of, network_of, spellings_of
from loyalty.core.pii import Lookups
from tests.apikit.keys import FakeKeys


@pytest.mark.parametrize(
    ("email", "mailbox"),
    [
        ("Ada.Lovelace+shop@Gmail.com", "adalovelace@gmail.com"),
        ("a.d.a@googlemail.com", "ada@gmail.com"),
        ("ada.l@example.com", "ada.l@example.com"),
        ("ada+1@example.com", "ada@example.com"),
        ("ada-x@example.com", "ada-x@example.com"),
        ("ada-x@yahoo.it", "ada@yahoo.it"),
        ("ada-x+y@yahoo.com", "ada@yahoo.com"),
        ("a.d_a-l@pm.me", "adal@proton.me"),
        ("+tag@example.com", "+tag@example.com"),
        ("ada@münchen.example", "ada@xn--mnchen-3ya.example"),
    ],
)
def test_addresses_that_lead_to_one_mailbox_are_alike(email: str, mailbox: str) -> None:
    assert mailbox_of(email) == mailbox


@pytest.mark.parametrize(
    ("email", "stem"),
    [
        ("ada.l1990+x@gmail.com", "adal@gmail.com"),
        ("4da.l@example.com", "da.l@example.com"),
        ("123456@qq.com", None),
        ("a1b2@example.com", None),
    ],
)
def test_a_stem_is_an_address_without_digits_where_enough_is_left(email: str, stem: str | None) -> None:
    assert spellings_of(email, Signals()).get("email_stem") == stem


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:12:3456::1", "2001:db8:12::/48"),
        ("10.1.2.3", ""),
        ("192.168.1.4", ""),
        ("172.31.0.9", ""),
        ("172.32.0.9", "172.32.0.0/24"),
        ("100.64.9.9", ""),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("fd00::1", ""),
        ("fe80::1", ""),
        (None, ""),
    ],
)
def test_a_network_is_what_many_share_and_private_ones_are_none(ip: str | None, network: str) -> None:
    assert network_of(ip) == network


def test_addresses_of_a_place_are_alike_however_they_are_written() -> None:
    first = spellings_of("a@example.com", Signals(address="Via Libertà 12, 20121 Milano"))["address"]
    assert first == "12 20121 liberta milano via"
    assert spellings_of("a@example.com", Signals(address="20121 MILANO - via liberta', 12"))["address"] == first
    assert spellings_of("a@example.com", Signals(address="Via Libertà 13, 20121 Milano"))["address"] != first


@pytest.mark.parametrize(
    "device",
    [None, "", "00000000-0000-0000-0000-000000000000", "--------", "undefined", "Not-Available", "9774D56D682E549C"],
)
def test_a_device_that_is_not_told_is_none(device: str | None) -> None:
    spelled = spellings_of("ada@example.com", Signals(device=device, payment=device))
    assert not {"device", "payment"} & spelled.keys()


def test_what_is_kept_is_a_keyed_hash_of_each_kind_and_program() -> None:
    lookups = Lookups(FakeKeys())
    signals = Signals(device="device-one-1", ip="203.0.113.9", payment="device-one-1", address="Main St 1")
    found = likenesses_of("acme", lookups, "ada.l@example.com", signals)
    assert set(found) == {"email_like", "email_stem", "device", "payment", "address", "network"}
    assert found["device"] != found["payment"], "of the same text another hash in each kind"
    assert all(len(one) == 24 for one in found.values())
    assert likenesses_of("acme", lookups, "ADA.L+x@example.com") == {
        kind: found[kind] for kind in ("email_like", "email_stem")
    }
    assert not set(likenesses_of("other", lookups, "ada.l@example.com", signals).values()) & set(found.values())


@pytest.mark.parametrize(
    ("email", "disposable"),
    [
        ("x@mailinator.com", True),
        ("x@any.mailinator.com", True),
        ("x@mailinator.example", False),
        ("x@gmail.com", False),
    ],
)
def test_throw_away_mailboxes_are_told_by_their_domain(email: str, disposable: bool) -> None:
    assert is_disposable(email) is disposable


def test_signals_tell_nothing_when_they_are_printed() -> None:
    assert "device-one-1" not in repr(Signals(device="device-one-1"))
