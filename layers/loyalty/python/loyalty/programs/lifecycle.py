"""A program from its draft to its versions, and back: what an editor does with it."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import NoReturn

from loyalty.core.clock import Clock
from loyalty.core.errors import DocumentInvalid, ProgramNotFound, SecondPersonRequired, Stale
from loyalty.programs.checking import Finding
from loyalty.programs.diff import Change, diff
from loyalty.programs.drafts import Draft, DraftStore, gone_put
from loyalty.programs.errors import ProgramChanged, VersionInForce
from loyalty.programs.loosening import loosened
from loyalty.programs.model import ProgramDocument
from loyalty.programs.publication import Proposal, State, Version, require_version
from loyalty.programs.validation import Assessment, Content, assess, pointer
from loyalty.programs.versions import VersionPage, VersionStore
from loyalty.programs.writing import draft_text


@dataclass(frozen=True, slots=True)
class Assessed:
    """A draft, and what there is to say about it."""

    draft: Draft
    assessment: Assessment

    @property
    def content(self) -> Content:
        """The document as it was saved, decimals as text."""
        content: Content = json.loads(self.draft.text)
        return content


class ProgramLifecycle:
    """Drafts are saved as they come; what is published has no errors, and follows the version that its author saw."""

    def __init__(self, drafts: DraftStore, versions: VersionStore, clock: Clock) -> None:
        self._drafts = drafts
        self._versions = versions
        self._clock = clock

    def draft(self, program: str) -> Assessed:
        """The draft.

        Raises:
            DraftNotFound: there is none.
        """
        return self._assessed(self._drafts.get(program))

    def begin(
        self, program: str, body: str, actor: str, *, based_on: int | None = None, through: str | None = None
    ) -> Assessed:
        """Saves the first draft, based on the version in force; ``based_on``: if that is this one.

        Raises:
            Invalid: it can be no document whatever its fields say.
            Stale: there is a draft.
            ProgramChanged: ``based_on`` is not the version in force.
        """
        text, state = draft_text(body), self._versions.state(program)
        if based_on is not None:
            require_version(program, state, based_on)
        saved = self._drafts.create(program, text, based_on=state.number, by=actor, at=self._clock(), through=through)
        return self._assessed(saved)

    def change(
        self,
        program: str,
        body: str,
        actor: str,
        *,
        revision: int | None,
        based_on: int | None = None,
        through: str | None = None,
    ) -> Assessed:
        """Saves another document in its place. ``based_on``: the version in force, if it is now meant to follow that one.

        Raises:
            Invalid: it can be no document whatever its fields say.
            Stale: the draft is not of that revision.
            ProgramChanged: ``based_on`` is not the version in force.
        """
        text, before = draft_text(body), self._drafts.expect(program, revision)
        if based_on is not None:
            require_version(program, self._versions.state(program), based_on)
        base = before.based_on if based_on is None else based_on
        saved = self._drafts.replace(before, text, based_on=base, by=actor, at=self._clock(), through=through)
        return self._assessed(saved)

    def discard(self, program: str, actor: str, *, revision: int | None) -> None:
        """Removes the draft.

        Raises:
            Stale: it is not of that revision.
        """
        self._drafts.discard(self._drafts.expect(program, revision), by=actor, at=self._clock())

    def difference(self, program: str) -> tuple[State, tuple[Change, ...]]:
        """What the draft would change, and what it was compared with. Of a first version, nothing.

        Raises:
            DraftNotFound: there is none.
            DocumentInvalid: it has errors in its shape.
        """
        assessed, state = self.draft(program), self._versions.state(program)
        document = assessed.assessment.document
        if document is None:
            _refuse(assessed.assessment)
        return state, diff(state.in_force.program.document, document) if state.in_force else ()

    def publish_draft(
        self,
        program: str,
        actor: str,
        *,
        revision: int | None,
        comment: str | None = None,
        effective_at: datetime | None = None,
        replace_scheduled: bool = False,
        through: str | None = None,
    ) -> Version:
        """Makes the draft the next version; there is no draft then.

        Raises:
            SecondPersonRequired: the version in force asks for two people, or this one does less often, and ``actor``, or whose credentials they go
                ``through``, saved the draft.
            Stale: it is not of that revision.
            ProgramChanged: another version is in force than the one that it is based on.
            DocumentInvalid: it has errors.
            LoyaltyError: :meth:`loyalty.programs.versions.VersionStore.publish` refused it.
        """
        draft = self._drafts.expect(program, revision)
        document = _publishable(self._assessed(draft).assessment)
        return self._versions.publish(
            program,
            Proposal(document, actor, comment, effective_at, replace_scheduled),
            require=partial(_require_publishable, draft, document, (actor, through)),
            also=lambda new: [gone_put(draft, by=actor, at=new.published_at, published_as=new.number)],
        )

    def publish(self, proposal: Proposal, *, expected_version: int) -> Version:
        """Makes a document the next version, without a draft.

        Raises:
            SecondPersonRequired: the version in force asks for two people, or this one does less often, so for a draft.
            ProgramChanged: the version in force is not ``expected_version``.
            LoyaltyError: :meth:`loyalty.programs.versions.VersionStore.publish` refused it.
        """
        program = proposal.document.id

        def require(state: State) -> None:
            require_version(program, state, expected_version)
            _require_alone(
                state, proposal.document, "Save the document as the draft, and let somebody else publish it."
            )

        return self._versions.publish(program, proposal, require=require)

    def roll_back(
        self,
        program: str,
        number: int,
        actor: str,
        *,
        revision: int | None,
        comment: str | None = None,
        effective_at: datetime | None = None,
        replace_scheduled: bool = False,
    ) -> Version:
        """Publishes the document of an older version again, as the next one.

        Raises:
            SecondPersonRequired: the version in force asks for two people, or this one does less often, so for a draft.
            VersionNotFound: there is none of that number.
            VersionInForce: it is in force.
            Stale: what is published is not of that revision.
            DocumentInvalid: it has errors by the rules of today.
            LoyaltyError: :meth:`loyalty.programs.versions.VersionStore.publish` refused it.
        """
        document = _publishable(assess(json.loads(self._versions.get(program, number).text), self._clock()))
        return self._versions.publish(
            program,
            Proposal(document, actor, comment, effective_at, replace_scheduled, rolled_back_to=number),
            require=partial(_require_other, number, document, revision),
        )

    def unschedule(self, program: str, actor: str, *, revision: int | None) -> Version:
        """Takes the scheduled version back.

        Raises:
            Stale: what is published is not of that revision.
            NothingScheduled, ScheduleDue, ProgramChanged: as they say.
        """
        return self._versions.cancel(program, actor, require=partial(_require_revision, revision))

    def state(self, program: str) -> State:
        """What is published now."""
        return self._versions.state(program)

    def version(self, program: str, number: int) -> Version:
        """One version.

        Raises:
            VersionNotFound: there is none of that number.
        """
        return self._versions.get(program, number)

    def versions(self, program: str, *, limit: int, before: int | None = None) -> VersionPage:
        """A page of versions, newest first.

        Raises:
            ProgramNotFound: there is none at all.
        """
        page = self._versions.page(program, limit=limit, before=before)
        if not page.versions and before is None:
            raise ProgramNotFound(f"Nothing was published of program '{program}' yet.")
        return page

    def _assessed(self, draft: Draft) -> Assessed:
        assessment = assess(json.loads(draft.text), self._clock())
        document = assessment.document
        if document is not None and document.id != draft.program:
            told = Finding("id", f"this is the draft of '{draft.program}', not of '{document.id}'; correct the id")
            findings = replace(assessment.findings, errors=(told, *assessment.findings.errors))
            assessment = replace(assessment, findings=findings)
        return Assessed(draft, assessment)


def _require_publishable(draft: Draft, document: ProgramDocument, hands: tuple[str | None, ...], state: State) -> None:
    if (why := _why_two(state, document)) and draft.is_by(*hands):
        raise SecondPersonRequired(
            f"Whoever saved the draft cannot publish it, for {why}; ask somebody else, who uses another client."
        )
    _require_base(draft, state)


def _require_alone(state: State, document: ProgramDocument, instead: str) -> None:
    if why := _why_two(state, document):
        raise SecondPersonRequired(f"Two people publish this version, for {why}: one prepares it. {instead}")


def _why_two(state: State, document: ProgramDocument) -> str:
    """Why the version in force asks for two: for any that follows it, or for one that asks for two less often. Empty: it does not."""
    if state.in_force is None:
        return ""
    now = state.in_force.program.document
    if now.four_eyes.publishing:
        return "the program asks for two (four_eyes.publishing)"
    less = loosened(now, document)
    return f"two would be asked less often: {', '.join(less)}" if less else ""


def _require_base(draft: Draft, state: State) -> None:
    if state.number != draft.based_on:
        raise ProgramChanged(
            f"The draft is based on version {draft.based_on}, but version {state.number} is in force; look at the draft's "
            f"diff, and save it with based_on={state.number}."
        )


def _require_other(number: int, document: ProgramDocument, revision: int | None, state: State) -> None:
    _require_revision(revision, state)
    if state.number == number:
        raise VersionInForce(f"Version {number} is in force already; roll back to another.")
    _require_alone(
        state, document, f"Save the document of version {number} as the draft, and let somebody else publish it."
    )


def _require_revision(revision: int | None, state: State) -> None:
    if revision is not None and state.revision != revision:
        raise Stale("Something was published since you read the versions; read them again.")


def _publishable(assessment: Assessment) -> ProgramDocument:
    document = assessment.publishable
    if document is None:
        _refuse(assessment)
    return document


def _refuse(assessment: Assessment) -> NoReturn:
    errors = assessment.findings.errors
    what = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
    raise DocumentInvalid(
        f"The document has {what}; correct each.", mistakes=[(pointer(one), one.message) for one in errors]
    )
