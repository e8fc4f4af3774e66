"""Drafts, findings, differences and versions, as the API shows them."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints

from loyalty.core.clock import to_text
from loyalty.core.fields import RequestBody, ResponseBody, UtcDatetime
from loyalty.programs.checking import Finding, Findings
from loyalty.programs.diff import Change, summary
from loyalty.programs.lifecycle import Assessed
from loyalty.programs.publication import MAX_COMMENT, State, Version
from loyalty.programs.validation import pointer

Document = Annotated[
    dict[str, Any],
    Field(description="The program document; docs/program.schema.json is its schema. Decimals are text."),
]
Comment = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_COMMENT),
    Field(description="Why, for those who read the versions later.", examples=["Double points on reviews in December"]),
]


class PublicationBody(RequestBody):
    """How it is to be published."""

    effective_at: Annotated[
        UtcDatetime | None,
        Field(description="When it comes into force, two minutes ahead or more. Left out: at once."),
    ] = None
    comment: Comment | None = None
    replace_scheduled: Annotated[
        bool, Field(strict=True, description="Instead of the version that is scheduled, if one is.")
    ] = False


class FindingView(ResponseBody):
    """Something to correct or to look at."""

    pointer: Annotated[str, Field(description="JSON pointer (RFC 6901) into the document.")]
    detail: Annotated[str, Field(description="What is wrong or doubtful, and what to do.")]

    @classmethod
    def all(cls, findings: Sequence[Finding]) -> list[Self]:
        """The views of findings."""
        return [cls(pointer=pointer(one), detail=one.message) for one in findings]


class FindingsView(ResponseBody):
    """Errors keep a draft from being published, warnings do not."""

    errors: list[FindingView]
    warnings: list[FindingView]

    @classmethod
    def of(cls, findings: Findings) -> Self:
        """The view of findings."""
        return cls(errors=FindingView.all(findings.errors), warnings=FindingView.all(findings.warnings))


class DraftView(ResponseBody):
    """The draft as it was saved, and what there is to say about it."""

    program: str
    based_on: Annotated[int, Field(description="The version in force that it is meant to follow; 0: it is the first.")]
    saved_at: str
    saved_by: Annotated[str, Field(description="The client that saved it.")]
    findings: FindingsView
    document: Document

    @classmethod
    def of(cls, assessed: Assessed) -> Self:
        """The view of a draft."""
        draft = assessed.draft
        return cls(
            program=draft.program,
            based_on=draft.based_on,
            saved_at=to_text(draft.saved_at),
            saved_by=draft.saved_by,
            findings=FindingsView.of(assessed.assessment.findings),
            document=assessed.content,
        )


class DocumentChangeView(ResponseBody):
    """One difference between two documents."""

    path: Annotated[str, Field(description="Where, with parts of lists by their id: `tiers.gold.threshold`.")]
    kind: Literal["added", "removed", "changed", "reordered"]
    before: Annotated[Any, Field(description="What was there; null where it was added.")] = None
    after: Annotated[Any, Field(description="What is there then; null where it was removed.")] = None
    text: Annotated[str, Field(description="In words.")]


class DifferenceView(ResponseBody):
    """What the draft changes."""

    version: Annotated[int, Field(description="The version in force that it was compared with; 0: there is none.")]
    summary: str
    changes: list[DocumentChangeView]

    @classmethod
    def of(cls, state: State, changes: Sequence[Change]) -> Self:
        """The view of differences from what is in force."""
        return cls(
            version=state.number,
            summary=summary(changes) if state.number else "the first version",
            changes=[change_view(one) for one in changes],
        )


class VersionView(ResponseBody):
    """A version: who published it, when and why, and what it changed."""

    version: int
    status: Annotated[
        Literal["in_force", "scheduled", "superseded", "cancelled"],
        Field(description="`superseded`: it was in force. `cancelled`: it was scheduled and never came into force."),
    ]
    published_at: str
    published_by: str
    effective_at: Annotated[str, Field(description="When it comes or came into force.")]
    comment: str | None
    changes: Annotated[
        str | None, Field(description="What it changed, in a line; null of what was published long ago.")
    ]
    rolled_back_to: Annotated[int | None, Field(description="The version whose document it took again.")]
    digest: Annotated[str, Field(description="SHA-256 of the document as it is kept, in hex.")]
    cancelled_at: str | None
    cancelled_by: str | None


class VersionDetailView(VersionView):
    """A version with its document."""

    document: Document


class VersionsPage(ResponseBody):
    """One page of versions, newest first."""

    in_force: int
    scheduled: Annotated[int | None, Field(description="The version that comes into force by itself.")]
    items: list[VersionView]
    next_before: Annotated[int | None, Field(description="Send it as `before` for the next page; null on the last.")]


def change_view(change: Change) -> DocumentChangeView:
    """The view of a difference."""
    return DocumentChangeView(
        path=change.where, kind=change.kind.value, before=change.before, after=change.after, text=change.text
    )


def version_view(version: Version, state: State) -> VersionView:
    """The view of a version."""
    return VersionView(**_shown(version, state))


def version_detail(version: Version, state: State) -> VersionDetailView:
    """The view of a version, with its document."""
    return VersionDetailView(**_shown(version, state), document=json.loads(version.text))


def status_of(version: Version, state: State) -> str:
    """What became of a version."""
    if version.cancelled_at is not None:
        return "cancelled"
    if state.scheduled is not None and version.number == state.scheduled.number:
        return "scheduled"
    return "in_force" if version.number == state.number else "superseded"


def _shown(version: Version, state: State) -> dict[str, Any]:
    return {
        "version": version.number,
        "status": status_of(version, state),
        "published_at": to_text(version.published_at),
        "published_by": version.published_by,
        "effective_at": to_text(version.effective_at),
        "comment": version.comment,
        "changes": version.changes,
        "rolled_back_to": version.rolled_back_to,
        "digest": version.digest,
        "cancelled_at": to_text(version.cancelled_at) if version.cancelled_at else None,
        "cancelled_by": version.cancelled_by,
    }
