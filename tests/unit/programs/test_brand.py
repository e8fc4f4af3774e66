"""Brand, languages, and names in them."""

from typing import Any

import pytest
from pydantic import ValidationError

from loyalty.programs.brand import direction, name_in
from loyalty.programs.fields import mistakes
from loyalty.programs.validation import assess
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import BASE, document

NOW = at("2026-11-22T09:00:00Z")
TIERS = BASE["tiers"]
REWARD = BASE["rewards"][0]
BRAND = {"display_name": "Acme Club", "colours": {"primary": "#0B5fff"}, "logo_url": "https://cdn.example.com/a.svg"}


def test_a_document_without_them_speaks_english_and_has_no_brand() -> None:
    plain = document()
    assert (plain.locales, plain.brand, plain.translations) == (("en",), None, None)
    assert plain.rewards[0].translations is None


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"locales": []}, "locales", "at least 1"),
        ({"locales": ["en", "fr"]}, "locales.1", "'en', 'id', 'it' or 'ar'"),
        ({"locales": ["en", "it", "en"]}, "locales", "'en' is named twice"),
        ({"translations": {"it": "Acme"}}, "translations", "'it' is not among the program's locales, en; add it"),
        ({"translations": {"en": "Acme"}}, "translations", "'en' is the program's default language"),
        ({"locales": ["it", "en"], "translations": {"it": "Acme"}}, "translations", "'it' is the program's default"),
        ({"translations": {}}, "translations", "name at least one language"),
        ({"locales": ["en", "it"], "translations": {"it": ""}}, "translations.it", "at least 1 character"),
        ({"tiers": [{**TIERS[0], "translations": {"ar": "x"}}]}, "tiers", "'bronze': 'ar' is not among"),
        ({"rewards": [{**REWARD, "translations": {"fr": "x"}}]}, "rewards.0.translations.fr", "Extra inputs"),
        ({"brand": {"colours": {}}}, "brand.colours.primary", "Field required"),
        ({"brand": {"colours": {"primary": "blue"}}}, "brand.colours.primary", "pattern"),
        ({"brand": {"colours": {"primary": "#fff"}}}, "brand.colours.primary", "pattern"),
        ({"brand": {"logo_url": "http://example.com/a.svg"}}, "brand.logo_url", "pattern"),
        ({"brand": {"logo_url": "https://user@example.com/a.svg"}}, "brand.logo_url", "pattern"),
        ({"brand": {"logo_url": "https:///a.svg"}}, "brand.logo_url", "pattern"),
    ],
)
def test_a_wrong_one_is_refused_with_the_place_and_the_reason(changes: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        document(**changes)
    ((place, message),) = [(".".join(map(str, one["loc"])), one["msg"]) for one in mistakes(refusal.value)]
    assert place == where
    assert what in message


def test_a_name_is_in_the_language_asked_for_or_in_the_default_one() -> None:
    coffee = {**REWARD, "translations": {"it": "Un caffè"}}
    speaking = document(locales=["en", "it", "ar"], rewards=[coffee], brand=BRAND)
    (reward,) = speaking.rewards
    assert [name_in(reward, language) for language in speaking.locales] == ["Coffee", "Un caffè", "Coffee"]
    assert speaking.brand is not None
    assert speaking.brand.display_name == "Acme Club"
    assert [direction(language) for language in ("en", "id", "it", "ar")] == ["ltr", "ltr", "ltr", "rtl"]


def test_a_name_without_a_translation_is_a_warning_and_no_error() -> None:
    tiers = [{**tier, "translations": {"it": "x"}} for tier in TIERS]
    rewards = [{**REWARD, "translations": {"ar": "قهوة"}}]
    content = {**BASE, "locales": ["en", "it", "ar"], "translations": {"it": "Acme", "ar": "أكمي"}}
    found = assess({**content, "tiers": tiers, "rewards": rewards}, NOW)
    assert found.publishable is not None
    assert [(one.path, one.message.split("; ")[0]) for one in found.findings.warnings] == [
        ("tiers.0.translations", "'Bronze' has no translation into ar"),
        ("tiers.1.translations", "'Silver' has no translation into ar"),
        ("tiers.2.translations", "'Gold' has no translation into ar"),
        ("rewards.0.translations", "'Coffee' has no translation into it"),
    ]
    assert assess(BASE, NOW).findings.warnings == ()
