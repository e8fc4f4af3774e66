"""What is taken as an address, a number or a name; and that what was stored before a rule is found as ever."""

import hashlib
import hmac
import subprocess
import sys

import pytest

from loyalty.core.contacts import accepted_email, accepted_name, accepted_phone
from loyalty.core.pii import Lookups, normal_email, normal_phone


class FixedKey:
    def mac(self, message: bytes) -> bytes:
        return hmac.digest(b"k" * 32, message, hashlib.sha256)


LOOKUPS = Lookups(FixedKey())


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (" Ada.Lovelace@Example.COM ", "bb44f72e09f46a277c6eedb250fa15f2ea2be5d7"),
        ("ada+shop@example.com", "be1ec352be94840e31e59b91de9c94795533f9fb"),
        ("j\u00fcrgen@M\u00dcLLER.de", "e7f633a0c479c01f8ec45604a70751830c78bb70"),
        ("ju\u0308rgen@m\u00fcller.de", "e7f633a0c479c01f8ec45604a70751830c78bb70"),
        ("ada@stra\u00dfe.de", "27be29200880f72b5ee756f93330014087819170"),
        ("\u0391\u03a3@example.com", "d18e5196e5426d8deda7983c9f397d1d92ef1a05"),
        # No longer taken, and found all the same where they are stored.
        ("\uff41da@example.com", "830427cacc6bae5c6d7649a40f547dd5909e0625"),
        ("\u0430da@example.com", "d26b8a5e7c859b2f2794766aa8de11f7fe74f68c"),
        ("a" * 65 + "@example.com", "0da4be04db9f716be330764dd811940356402fa9"),
    ],
)
def test_the_hash_of_an_address_is_what_it_was_in_the_first_version(text: str, digest: str) -> None:
    assert LOOKUPS.email("acme", normal_email(text)) == digest


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("+393331234567", "85168b9ba845b69d94f3fa6262ba30f47f42336b"),
        (" +390698765432 ", "f311cec7476fb8c3936e1a4e6b8b021da47ea230"),
        ("+15555555555", "331617b399876f46c81e46caa650175d7c59c45f"),
        ("+5215512345678", "13f264de45b1722b803dbb96db242253ac89abac"),
        ("+4402079460958", "a3161d142cc6485ef4f106c817231dec76bbcae0"),
    ],
)
def test_the_hash_of_a_number_is_what_it_was_in_the_first_version(text: str, digest: str) -> None:
    assert LOOKUPS.phone("acme", normal_phone(text)) == digest


@pytest.mark.parametrize(
    "text",
    [
        "Ada.Lovelace@Example.COM",
        "o'hara@example.com",
        "=cmd@example.com",  # a spreadsheet's danger is its exporter's business
        "j\u00fcrgen@m\u00fcller.de",
        "\u0430\u0434\u0430@\u043f\u043e\u0447\u0442\u0430.\u0440\u0444",  # one alphabet: Cyrillic
        "ada@\u0430\u0440\u0440\u04cf\u0435.com",  # each label in one alphabet: another domain, and compared as one
        "\u592a\u90ce\u30bf\u30ed\u30a6taro@example.com",  # Han, katakana and Latin: nothing in them looks alike
        "\u0930\u093e\u091c@example.com",
    ],
)
def test_addresses_that_are_taken_as_they_were_written(text: str) -> None:
    assert accepted_email(f" {text}\n") == text


@pytest.mark.parametrize(
    "text",
    [
        "a\u0000da@example.com",
        "ada\u200b@example.com",
        "ada\u202e@example.com",
        "ada@exam\u200bple.com",
        "a\ufe0fda@example.com",
        "\u3164ada@example.com",
        "\ud800@example.com",
        "\uff41da@example.com",  # full-width a
        "\ufb01nn@example.com",  # the ligature fi
        "\u0430da@example.com",  # a Cyrillic a
        "ada@ex\u0430mple.com",
        "ada@xn--exmple-4nf.com",  # the same, in ASCII
        "a" * 65 + "@example.com",
        "\u00fc" * 33 + "@example.com",  # 66 bytes
        "ada@" + "b" * 250 + ".com",
        "ada@localhost",
    ],
)
def test_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Send .*e-mail address"):
        accepted_email(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+393331234567", "+393331234567"),
        (" +39 333 123-4567\n", "+393331234567"),
        ("+1 (415) 555-2671", "+14155552671"),
        ("+1.415.555.2671", "+14155552671"),
        ("+39\u00a006 9876 5432", "+390698765432"),  # in Italy the 0 is part of the number
    ],
)
def test_numbers_are_taken_in_one_spelling(text: str, number: str) -> None:
    assert accepted_phone(text) == number
    assert accepted_phone(number) == number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("4155552671", "such as"),
        ("0039 333 1234567", "such as"),
        ("+39 333", "such as"),
        ("+1-800-FLOWERS", "such as"),
        ("tel:+393331234567", "such as"),
        ("+393331234567;ext=5", "such as"),
        ("+39/333/1234567", "such as"),
        ("+\uff13\uff19\uff13\uff13\uff13\uff11\uff12\uff13\uff14\uff15\uff16\uff17", "such as"),
        ("+999123456789", "no country has this code"),
        ("+44 (0)20 7946 0958", "without the 0"),
        ("+15555555555", "a missing or wrong digit"),
        ("+3934712345", "a missing or wrong digit"),
        ("+5215512345678", "a missing or wrong digit"),  # Mexico's old form of a mobile number
    ],
)
def test_numbers_that_are_refused_say_what_to_do(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        accepted_phone(text)
    assert text not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Zoe\u0308lle", "Zo\u00eblle"),
        ("  Mary \u00a0 Ann ", "Mary Ann"),
        ("\u5c71\u7530\u3000\u592a\u90ce", "\u5c71\u7530 \u592a\u90ce"),
        ("\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"),
        # After a virama: Sinhala "Sri", Devanagari, Telugu; at the end, as Malayalam was written before it had letters for it.
        ("\u0dc1\u0dca\u200d\u0dbb\u0dd3", "\u0dc1\u0dca\u200d\u0dbb\u0dd3"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
        ("\u0c30\u0c3e\u0c2e\u0c4d\u200c\u0c2a\u0c41", "\u0c30\u0c3e\u0c2e\u0c4d\u200c\u0c2a\u0c41"),
        ("\u0d05\u0d28\u0d3f\u0d32\u0d4d\u200d", "\u0d05\u0d28\u0d3f\u0d32\u0d4d\u200d"),
        # Before one: Bengali "rya".
        ("\u09b0\u200d\u09cd\u09af\u09be", "\u09b0\u200d\u09cd\u09af\u09be"),
        ("O'Hara-Smith, Jr.", "O'Hara-Smith, Jr."),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"),
    ],
)
def test_names_as_people_write_them(text: str, name: str) -> None:
    assert accepted_name(text) == name
    assert accepted_name(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \u3000",
        "A\nB",
        "A\u0000",
        "A\tB",
        "\u202eadA",
        "A\u2066B",
        "A\u200bB",
        "\u200dAda",
        "A\u200d",
        "A\ud800",
        "\u3164",
        "A\ue000",
    ],
)
def test_names_that_nobody_writes(text: str) -> None:
    with pytest.raises(ValueError, match="Send the name without"):
        accepted_name(text)


def test_the_rules_of_numbers_are_read_when_there_is_one() -> None:
    code = "import sys, loyalty.members.views; sys.exit('phonenumbers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
