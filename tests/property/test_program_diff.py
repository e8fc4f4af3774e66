"""A diff tells everything: put into the first document, it makes the second."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_jsonable_python

from loyalty.programs.diff import Change, ChangeKind, Part, diff
from loyalty.programs.model import ProgramDocument
from tests.ledgerkit.programs import BASE


def _with_its_activity(rule: dict[str, Any]) -> dict[str, Any]:
    return {**rule, "activity": rule["id"]}


def _keyed(field: str) -> Callable[[Any], Any]:
    return lambda part: part[field]


names = st.sampled_from(["Uno", "Due", "Tre"])
ids = st.sampled_from(["a", "b", "c", "d"])
points = st.integers(1, 3)
translations = st.none() | st.sampled_from([{"it": "Uno"}, {"it": "Due"}])
rates = st.lists(
    st.fixed_dictionaries({"points": points, "per": st.sampled_from(["1", "1.0", "2"]), "currency": st.sampled_from(["EUR", "USD", "IDR"])}),
    min_size=1, max_size=3, unique_by=_keyed("currency"),
)  # fmt: skip
rules = st.one_of(
    st.fixed_dictionaries({"id": ids, "rates": rates}),
    st.fixed_dictionaries({"id": ids, "fixed_points": points, "return_days": st.integers(0, 2)}),
).map(_with_its_activity)
tiers = st.lists(st.tuples(ids, names, translations), min_size=1, max_size=4, unique_by=lambda tier: tier[0]).map(
    lambda some: [
        {"id": tier, "name": name, "threshold": 10 * place, "translations": texts}
        for place, (tier, name, texts) in enumerate(some)
    ]
)
rewards = st.fixed_dictionaries(
    {"id": ids, "name": names, "type": st.sampled_from(["perk", "discount"]), "points": points}
)
documents = st.fixed_dictionaries(
    {
        "name": names,
        "locales": st.sampled_from([["en", "it"], ["ar", "it"]]),
        "earn_rules": st.lists(rules, min_size=1, max_size=4, unique_by=_keyed("id")),
        "tiers": tiers,
        "rewards": st.lists(rewards, max_size=4, unique_by=_keyed("id")),
        "adjustment_reasons": st.lists(ids, min_size=1, unique=True),
        "transfers": st.none() | st.sampled_from([{"maximum_points": 5, "daily_points": 9}]),
    }
).map(lambda changes: ProgramDocument.model_validate({**BASE, **changes}))


def content(document: ProgramDocument) -> Any:
    return _plain(document.model_dump(mode="json", exclude_none=True))


def _plain(value: Any) -> Any:
    """Decimals without idle zeros, which are no difference."""
    if isinstance(value, dict):
        return {
            name: str(float(part)) if name in ("per", "multiplier") else _plain(part) for name, part in value.items()
        }
    return [_plain(part) for part in value] if isinstance(value, list) else value


def applied(before: Any, changes: Sequence[Change]) -> Any:
    """``before`` with every change made."""
    for change in changes:
        place = before
        for step in change.path[:-1]:
            place = _part(place, step.id) if isinstance(step, Part) else place[step]
        _make(place, change)
    return before


def _make(place: Any, change: Change) -> None:
    last, after = change.path[-1], _plain(to_jsonable_python(change.after))
    if change.kind is ChangeKind.REORDERED:
        place[last].sort(key=lambda part: after.index(part.get("id") or part["currency"]))
    elif isinstance(last, Part) and change.kind is ChangeKind.REMOVED:
        place.remove(_part(place, last.id))
    elif isinstance(last, Part):
        place.append({"currency" if "per" in after else "id": last.id, **after})
    elif change.kind is ChangeKind.REMOVED:
        del place[last]
    else:
        place[last] = _plain({last: change.after})[last]


def _part(parts: Any, name: str) -> Any:
    return next(part for part in parts if name in (part.get("id"), part.get("currency")))


@settings(max_examples=30)
@given(before=documents, after=documents)
def test_a_diff_put_into_the_one_document_makes_the_other(before: ProgramDocument, after: ProgramDocument) -> None:
    assert applied(content(before), diff(before, after)) == content(after)


@settings(max_examples=30)
@given(document=documents)
def test_what_is_equal_differs_in_nothing(document: ProgramDocument) -> None:
    assert diff(document, ProgramDocument.model_validate_json(document.model_dump_json())) == ()


@settings(max_examples=30)
@given(before=documents, after=documents)
def test_the_way_back_undoes_the_way_there(before: ProgramDocument, after: ProgramDocument) -> None:
    there, back = diff(before, after), diff(after, before)
    # Where something was put between others, only the one way needs to tell the order.
    told = [{one.where for one in changes if one.kind is not ChangeKind.REORDERED} for changes in (there, back)]
    assert told[0] == told[1]
    assert all(change.text for change in (*there, *back))
