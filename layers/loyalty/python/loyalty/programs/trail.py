"""What the audit trail keeps of a program's drafts and versions."""

from datetime import datetime

from loyalty.audit.model import Facts, Line
from loyalty.audit.store import line_put
from loyalty.core.clock import to_text
from loyalty.core.table import Put
from loyalty.programs.publication import Cancellation, Publication, State, digest_of


def published_line(program: str, before: State, step: Publication) -> Put:
    """That a version was published, scheduled, or an older one published again."""
    new = step.new
    scheduled = step.after.scheduled is not None and step.after.scheduled.number == new.number
    action = "rolled_back" if new.rolled_back_to else "scheduled" if scheduled else "published"
    line = Line(
        program,
        f"program.{action}",
        f"versions/{new.number}",
        new.published_at,
        actor=new.published_by,
        before={"in_force": before.number, "scheduled": before.scheduled.number if before.scheduled else None},
        after={
            "version": new.number,
            "sha256": new.digest,
            "effective_at": to_text(new.effective_at),
            "rolled_back_to": new.rolled_back_to,
            "instead_of": step.cancelled.number if step.cancelled else None,
        },
    )
    return line_put(line)


def unscheduled_line(program: str, actor: str, step: Cancellation, now: datetime) -> Put:
    """That a scheduled version was taken back."""
    gone = step.cancelled
    before: Facts = {"scheduled": gone.number, "effective_at": to_text(gone.effective_at)}
    return line_put(Line(program, "program.unscheduled", f"versions/{gone.number}", now, actor=actor, before=before))


def draft_line(program: str, revision: int, text: str | None, *, by: str, at: datetime) -> Put:
    """That a draft was saved; ``text`` None: that it was discarded."""
    action = "program.draft_discarded" if text is None else "program.draft_saved"
    after = {"revision": revision, "sha256": None if text is None else digest_of(text)}
    return line_put(Line(program, action, "draft", at, actor=by, after=after))
