"""Which e-mail addresses, phone numbers and names are taken from outside. ``docs/security/personal-data.md`` says why.

These rules are for what comes in. What is stored is found by ``core.pii.normal_email`` and ``normal_phone``, which change
for nobody: a member who came before a rule is found as ever.
"""

import re
import unicodedata
from typing import Final

from loyalty.core.pii import normal_email, normal_phone

MAX_LOCAL_BYTES: Final = 64
"""RFC 5321, 4.5.3.1.1."""
_JOINERS: Final = "\u200c\u200d"
"""Zero-width, and yet part of how names are written: between letters and their signs, as in Persian, and in the scripts of
India and Sri Lanka after a virama, the sign that a consonant has no vowel. Taken there alone."""
_VIRAMA: Final = 9
"""Its combining class, in every script that has one."""
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters and marks, by their category, that nobody sees: fillers and variation selectors."""
_ALIKE: Final = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE"})
"""Alphabets with letters that look the same. Nobody's address needs two of them in one part."""
_SEPARATORS: Final = re.compile(r"[ ().\-\u00a0\u2010\u2011\u2013]")
_PHONE: Final = "Send the phone number in E.164 form, such as +393331234567"


def accepted_email(text: str) -> str:
    """The address as a person wrote it, trimmed.

    Raises:
        ValueError: not an address, or one that can pass for another.
    """
    ascii_domain = normal_email(text).rpartition("@")[2]
    written = text.strip()
    local = unicodedata.normalize("NFC", written.rpartition("@")[0])
    if len(local.encode()) > MAX_LOCAL_BYTES or _UNSEEN.search(written):
        raise ValueError("Send a valid e-mail address")
    if unicodedata.normalize("NFKC", local) != local:
        raise ValueError("Send the e-mail address in plain letters, not in look-alikes such as full-width ones")
    if any(map(_mixed, [local, *_shown(ascii_domain).split(".")])):
        raise ValueError("Send an e-mail address whose parts are each written in one alphabet")
    return written


def accepted_phone(text: str) -> str:
    """The number in E.164 form; spaces, dashes, dots and parentheses in it are left out.

    Raises:
        ValueError: no number that anybody has, by the numbering plans that libphonenumber knows.
    """
    import phonenumbers  # noqa: PLC0415 - 100 ms, for requests that have a number

    phone = normal_phone(_SEPARATORS.sub("", text.strip()))
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        raise ValueError(f"{_PHONE}; no country has this code") from None
    spelled = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if spelled != phone:
        raise ValueError(f"{_PHONE}; without the 0 that is dialled within the country only")
    if not phonenumbers.is_valid_number(number):
        raise ValueError(f"{_PHONE}; its country gives no such numbers, so look for a missing or wrong digit")
    return phone


def accepted_name(text: str) -> str:
    """A person's name: NFC, each run of spaces of any kind one space.

    Raises:
        ValueError: it has characters that are not written, such as controls and those that turn the direction of text.
    """
    name = re.sub(" +", " ", unicodedata.normalize("NFC", _spaced(text))).strip(" ")
    unjoined = "".join(one for place, one in enumerate(name) if not (one in _JOINERS and _joins(name, place)))
    if not name or not unjoined.isprintable() or _UNSEEN.search(unjoined):
        raise ValueError("Send the name without control characters, line breaks and invisible characters")
    return name


def _joins(name: str, place: int) -> bool:
    """Whether a joiner stands where people write one."""
    if place == 0 or not _written(name[place - 1]):
        return False
    if unicodedata.combining(name[place - 1]) == _VIRAMA:
        return True  # at the end of a word too, as in Malayalam
    return place + 1 < len(name) and _written(name[place + 1])


def _written(one: str) -> bool:
    """A letter, or a sign on one."""
    return unicodedata.category(one)[0] in "LM"


def _spaced(text: str) -> str:
    return "".join(" " if unicodedata.category(one) == "Zs" else one for one in text)


def _shown(ascii_domain: str) -> str:
    """The domain as people read it."""
    if "xn--" not in ascii_domain:
        return ascii_domain
    import idna  # noqa: PLC0415 - for few addresses

    return idna.decode(ascii_domain)


def _mixed(part: str) -> bool:
    """Whether letters of two alphabets that look alike stand in one part."""
    alphabets = {unicodedata.name(one, "").partition(" ")[0] for one in part if one.isalpha()}
    return len(alphabets & _ALIKE) > 1
