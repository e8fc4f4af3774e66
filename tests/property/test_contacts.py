"""Of addresses, numbers and names: one spelling for what is one, and again the same."""

import unicodedata
from contextlib import suppress

import phonenumbers
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loyalty.core.contacts import accepted_email, accepted_name, accepted_phone
from loyalty.core.pii import normal_email, normal_phone

LETTERS = st.text(
    st.sampled_from(
        "abzAZ09._+-'\u00e9\u0065\u0301\u0130\u0131\u03a3\u03c2\u1e9e\u212a\u00df\u0430\ufb01\uff41\u5c71\u200d"
    ),
    min_size=1,
    max_size=12,
)
DOMAINS = st.sampled_from(
    ["example.com", "M\u00dcLLER.de", "fa\u00df.de", "\u0391\u03a3.gr", "xn--mller-kva.de", "a\uff0ebc.org"]
)
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


@settings(max_examples=500)
@given(LETTERS, DOMAINS)
def test_the_normal_form_of_an_address_is_its_own(local: str, domain: str) -> None:
    text = f"{local}@{domain}"
    try:
        normal = normal_email(text)
    except ValueError:
        assume(condition=False)
    assert normal_email(normal) == normal
    for spelled in (
        f" {text}\n",
        unicodedata.normalize("NFC", text),
        unicodedata.normalize("NFD", local) + f"@{domain}",
    ):
        assert normal_email(spelled) == normal
    assert normal.rpartition("@")[2].isascii()


@settings(max_examples=500)
@given(LETTERS, DOMAINS)
def test_who_is_taken_can_be_found(local: str, domain: str) -> None:
    with suppress(ValueError):
        written = accepted_email(f"{local}@{domain}")
        assert accepted_email(written) == written
        assert normal_email(written) == normal_email(f"{local}@{domain}")


@settings(max_examples=300)
@given(
    st.text(max_size=40)
    | st.text(st.sampled_from("Az \u00a0\u3000\u0301\u200c\u200d\u202e\n\u0000\ud800\u0639"), max_size=8)
)
def test_names_are_refused_or_the_same_again(text: str) -> None:
    with suppress(ValueError):
        name = accepted_name(text)
        assert accepted_name(name) == name
        assert unicodedata.is_normalized("NFC", name)
        assert not {unicodedata.category(one) for one in name} & {"Cc", "Cs", "Co", "Zl", "Zp"}
        assert not set(name) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


@settings(max_examples=300)
@given(st.sampled_from(REGIONS), st.data())
def test_every_way_to_write_a_number_is_one_number(region: str, data: st.DataObject) -> None:
    example = phonenumbers.example_number(region)
    assert example is not None
    forms = phonenumbers.PhoneNumberFormat
    number = phonenumbers.format_number(example, forms.E164)
    assert accepted_phone(number) == normal_phone(number) == number
    spaced = "".join(digit + data.draw(st.sampled_from(["", " ", "-", ".", "(", ") "])) for digit in number)
    assert accepted_phone(spaced) == number
    assert accepted_phone(phonenumbers.format_number(example, forms.INTERNATIONAL).replace("/", " ")) == number
