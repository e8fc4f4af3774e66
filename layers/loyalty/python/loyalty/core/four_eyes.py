"""Four eyes: nobody decides on what they asked for, under whatever name.

A client has a token, a person's id in its request is its word. So both count: who asked is a client and the person that it
named, who decides is another client and another person.
"""

from collections.abc import Iterable


def client_actor(client_id: str) -> str:
    """A client as it is named beside people."""
    return f"client:{client_id}"


def person_actor(person_id: str) -> str:
    """A person as they are named beside clients."""
    return f"person:{person_id}"


def same_hands(asked: Iterable[str | None], decides: Iterable[str | None]) -> bool:
    """Whether a client or a person is on both sides; None is nobody. An id is the same whatever the case of its letters."""
    return not _known(asked).isdisjoint(_known(decides))


def _known(actors: Iterable[str | None]) -> set[str]:
    return {actor.casefold() for actor in actors if actor is not None}
