"""What the console refuses, by name. ``core.errors`` says what each kind of refusal means."""

from loyalty.core.errors import Invalid, Missing, Stale, Unauthenticated


class SignInRefused(Unauthenticated):
    """A sign-in that did not end as it began, or whose token is not good."""

    code = "sign_in_refused"


class PageNotFound(Missing):
    code = "page_not_found"


class FormRefused(Invalid):
    """A form without the session's token, or from another site."""

    code = "form_refused"


class NoteMissing(Invalid):
    code = "note_missing"


class NoteRefused(Invalid):
    """A note with characters that cannot be shown."""

    code = "note_refused"


class NoteTooLong(Invalid):
    code = "note_too_long"


class FieldRefused(Invalid):
    """A field of a form that cannot be. ``words`` is the key of what its reader is told."""

    code = "field_refused"

    def __init__(self, detail: str, *, pointer: str | None = None, words: str = "error.bad") -> None:
        super().__init__(detail, pointer=pointer)
        self.words = words


class PageOutdated(Stale):
    """A decision about a run as it was on a page that is out of date."""

    code = "page_outdated"
