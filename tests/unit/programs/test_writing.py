"""Documents as they are stored: readable by functions that are older than whoever published them."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import Field, ValidationError, create_model

from loyalty.cli.programs import read_document
from loyalty.programs.diff import diff
from loyalty.programs.fields import DocumentPart
from loyalty.programs.model import ProgramDocument
from loyalty.programs.publication import Proposal, State, publish
from loyalty.programs.writing import as_stored
from tests.ledgerkit.clock import at
from tests.ledgerkit.programs import BASE, document

EXAMPLES: Final = sorted((Path(__file__).parents[3] / "events" / "programs").glob("*.*"))
NOW: Final = at("2026-03-15T12:00:00Z")


class Limits(DocumentPart):
    """Of today: ``daily`` may be turned off by null, and then that is what it says."""

    daily: int | None = 5
    weekly: int | None = None


class Older(DocumentPart):
    """A document as functions know it that were deployed a while ago."""

    id: str
    note: str | None
    hours: int = 72
    languages: tuple[str, ...] = ("en",)
    limits: Limits = Limits()
    parts: tuple[Limits, ...] = ()
    by_name: dict[str, Limits] = Field(default_factory=dict)


Newer = create_model("Newer", __base__=Older, colour=(str | None, None), tags=(tuple[str, ...], ()))


def stored(**fields: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(as_stored(Newer.model_validate({"id": "acme", "note": None} | fields)))
    return content


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({}, {}),
        ({"colour": None, "tags": [], "parts": [], "by_name": {}}, {}),
        ({"colour": "red", "tags": ["a"]}, {"colour": "red", "tags": ["a"]}),
        ({"languages": []}, {"languages": []}),  # not what it is when it is left out
        ({"limits": {"daily": None}}, {"limits": {"daily": None}}),
        ({"limits": {"weekly": 0}}, {"limits": {"daily": 5, "weekly": 0}}),
        ({"parts": [{"weekly": 3}, {}]}, {"parts": [{"daily": 5, "weekly": 3}, {"daily": 5}]}),
        ({"by_name": {"x": {"daily": None}}}, {"by_name": {"x": {"daily": None}}}),
    ],
)
def test_what_says_nothing_is_not_written_and_every_other_default_is(
    fields: dict[str, Any], written: dict[str, Any]
) -> None:
    always = {"id": "acme", "note": None, "hours": 72, "languages": ["en"], "limits": {"daily": 5}}
    assert stored(**fields) == always | written


def test_older_functions_read_what_makes_no_use_of_newer_fields() -> None:
    given = {"id": "acme", "note": None, "parts": [{"daily": None}]}
    newer = Newer.model_validate(given)
    assert Older.model_validate_json(as_stored(newer)) == Older.model_validate(given)
    with pytest.raises(ValidationError, match="colour"):
        Older.model_validate_json(newer.model_dump_json())  # as it would be with everything in it
    with pytest.raises(ValidationError, match="colour"):
        Older.model_validate_json(as_stored(Newer.model_validate(given | {"colour": "red"})))


def test_of_a_reward_nothing_is_written_that_it_does_not_use() -> None:
    since = {"images", "terms", "codes", "charity", "value", "cash", "per_member", "tiers", "countries", "return_days"}
    for reward in json.loads(as_stored(document()))["rewards"]:
        assert since.isdisjoint(reward)
        assert reward["limited"] is False  # a default with a meaning of its own stays written


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_is_read_back_as_it_was_and_its_text_is_one(path: Path) -> None:
    given = read_document(path)
    text = as_stored(given)
    again = ProgramDocument.model_validate_json(text)
    assert (again, as_stored(again), diff(given, again)) == (given, text, ())
    assert len(text) < len(given.model_dump_json())


def test_equal_documents_have_one_digest_however_they_were_given() -> None:
    spelt = [one | {"cash": None, "countries": []} for one in BASE["rewards"]]
    plain, explicit = document(), document(rewards=spelt, transfers=None, shopify_shops=[])
    versions = [publish(State(), Proposal(one, "ada"), NOW).new for one in (plain, explicit)]
    assert versions[0].digest == versions[1].digest
    assert [one.program.document for one in versions] == [plain, plain]
