"""What a history did wrong."""


class Violation(Exception):
    """``what`` is the promise that was broken, in a word; the text says how."""

    def __init__(self, what: str, text: str) -> None:
        super().__init__(f"{what}: {text}")
        self.what = what


def require(condition: object, what: str, text: object) -> None:
    """Raises :class:`Violation` unless the condition holds. ``text`` may be a function that makes it."""
    if not condition:
        raise Violation(what, str(text() if callable(text) else text))
