"""Cases and watches in the table. The only place that speaks DynamoDB for what is known of members.

::

    M#{program}#{member}   RISK    the case: signals with their evidence, who decided; while it is open, in the due index
                           WATCH   the latest doings, until they are too old to matter

The hold itself is an attribute of the book, written in the transaction of the case.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from loyalty.abuse.model import Case, Decided, Person, State
from loyalty.abuse.watch import DAYS_KEPT, Evidence, Kind, Note, Signal, Watch
from loyalty.core.attributes import MomentAttribute
from loyalty.core.clock import from_text, to_text
from loyalty.core.listing import Listed, listed
from loyalty.core.table import (
    Check,
    DocumentAttribute,
    IntegerAttribute,
    IntegerMapAttribute,
    Item,
    Put,
    RawItem,
    Table,
)
from loyalty.ledger.keys import parse_partition, partition
from loyalty.programs.abuse import Then
from loyalty_contract import DUE_AT, DUE_INDEX_KEY, RISK_SK, TTL_ATTRIBUTE

WATCH_SK: Final = "WATCH"
_KEPT: Final = timedelta(days=DAYS_KEPT)
_BETWEEN: Final = "|"


class RiskItem(Item):
    """``M#{program}#{member}`` / ``RISK``; ``due_*`` as long as somebody has to look at it."""

    state = UnicodeAttribute()
    on_hold = BooleanAttribute(null=True)
    evidence = DocumentAttribute()
    opened_at = MomentAttribute()
    updated_at = MomentAttribute()
    held = DocumentAttribute(null=True)
    proposed = DocumentAttribute(null=True)
    decided = DocumentAttribute(null=True)
    cleared_at = MomentAttribute(null=True)
    revision = IntegerAttribute()
    due_shard = UnicodeAttribute(attr_name=DUE_INDEX_KEY, null=True)
    due_at = UnicodeAttribute(attr_name=DUE_AT, null=True)


class WatchItem(Item):
    """``M#{program}#{member}`` / ``WATCH``; each note is one text."""

    notes = UnicodeAttribute()
    earned = IntegerMapAttribute(null=True)
    revision = IntegerAttribute()
    expires_at = IntegerAttribute(attr_name=TTL_ATTRIBUTE)


def cases_shard(program: str) -> str:
    """The partition of the due index that has a program's open cases, by when they were opened."""
    return f"RISK#{program}"


class RiskStore:
    """Reads of cases. Which are open is eventually consistent, each is read as it is now."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def case(self, program: str, member_id: str) -> Case | None:
        """The member's case, whatever became of it; None where there never was one."""
        raw = self._table.read(partition(program, member_id), RISK_SK)
        return None if raw is None else case_of(raw)

    def page(self, program: str, *, limit: int, after: str | None = None) -> Listed[Case]:
        """Up to ``limit`` open cases, the oldest first; ``after`` is ``next`` of the page before."""
        return listed(self._table, cases_shard(program), case_of, limit=limit, after=after)

    def watched(self, program: str, member_id: str) -> tuple[Watch, Case | None]:
        """What is remembered of a member, and their case; one round trip."""
        pk = partition(program, member_id)
        found = self._table.get_many([(pk, WATCH_SK), (pk, RISK_SK)])
        case = found.get((pk, RISK_SK))
        return watch_of(found.get((pk, WATCH_SK))), None if case is None else case_of(case)


def case_put(before: Case | None, after: Case) -> Put:
    """Writes the case in place of the one that was read, of the same member."""
    open_now = after.state is State.OPEN
    revision = 0 if before is None else before.revision
    item = RiskItem(
        partition(after.program, after.member_id),
        RISK_SK,
        state=after.state.value,
        on_hold=after.on_hold or None,
        evidence={one.signal.value: _evidence_document(one) for one in after.evidence},
        opened_at=after.opened_at,
        updated_at=after.updated_at,
        held=_decided_document(after.held),
        proposed=_decided_document(after.proposed),
        decided=_decided_document(after.decided),
        cleared_at=after.cleared_at,
        revision=revision + 1,
        due_shard=cases_shard(after.program) if open_now else None,
        due_at=f"{to_text(after.opened_at)}#{after.member_id}" if open_now else None,
    )
    return Put(item, _as_read(before))


def case_check(program: str, member_id: str, read: Case | None) -> Check:
    """Writes nothing, and holds as long as the member's case is the one that was read."""
    return Check(RiskItem, partition(program, member_id), RISK_SK, _as_read(read))


def _as_read(case: Case | None) -> Condition:
    same: Condition = RiskItem.pk.does_not_exist() if case is None else RiskItem.revision == case.revision
    return same


def case_of(raw: RawItem) -> Case:
    """The case that :func:`case_put` wrote."""
    item = RiskItem.from_raw_data(raw)
    program, member_id = parse_partition(item.pk)
    return Case(
        program=program,
        member_id=member_id,
        state=State(item.state),
        on_hold=bool(item.on_hold),
        evidence=sorted(
            (_evidence_of(signal, parts) for signal, parts in item.evidence.items()),
            key=lambda one: (one.until, one.signal),
        ),
        opened_at=item.opened_at,
        updated_at=item.updated_at,
        held=_decided_of(item.held),
        proposed=_decided_of(item.proposed),
        decided=_decided_of(item.decided),
        cleared_at=item.cleared_at,
        revision=item.revision,
    )


def watch_put(program: str, member_id: str, before: Watch, after: Watch, now: datetime) -> Put:
    """Writes what is remembered in place of what was read."""
    item = WatchItem(
        partition(program, member_id),
        WATCH_SK,
        notes=json.dumps([_note_text(note) for note in after.notes], separators=(",", ":")),
        earned=dict(after.earned) or None,
        revision=before.revision + 1,
        expires_at=int((now + _KEPT).timestamp()),
    )
    same: Condition = WatchItem.revision == before.revision if before.revision else WatchItem.pk.does_not_exist()
    return Put(item, same)


def watch_of(raw: RawItem | None) -> Watch:
    """What :func:`watch_put` wrote; nothing where there is none, or it was deleted since."""
    if raw is None:
        return Watch()
    item = WatchItem.from_raw_data(raw)
    return Watch([_note_of(text) for text in json.loads(item.notes)], item.earned or {}, item.revision)


def _note_text(note: Note) -> str:
    return _BETWEEN.join([note.kind.value, to_text(note.at), str(note.points), note.other, note.reference])


def _note_of(text: str) -> Note:
    kind, at, points, other, reference = text.split(_BETWEEN, 4)
    return Note(Kind(kind), reference, from_text(at), int(points), other)


def _evidence_document(one: Evidence) -> dict[str, Any]:
    return {
        "then": one.then.value,
        "counted": one.counted,
        "bound": one.bound,
        "since": to_text(one.since),
        "until": to_text(one.until),
        "references": _BETWEEN.join(one.references),
    }


def _evidence_of(signal: str, parts: Mapping[str, Any]) -> Evidence:
    references = tuple(one for one in parts["references"].split(_BETWEEN) if one)
    since, until = from_text(parts["since"]), from_text(parts["until"])
    return Evidence(Signal(signal), Then(parts["then"]), parts["counted"], parts["bound"], since, until, references)


def _decided_document(decided: Decided | None) -> dict[str, Any] | None:
    if decided is None:
        return None
    through = {} if decided.by.through is None else {"through": decided.by.through}
    return {"by": decided.by.actor, "reason": decided.reason, "at": to_text(decided.at)} | through


def _decided_of(parts: Mapping[str, Any] | None) -> Decided | None:
    if parts is None:
        return None
    return Decided(Person(parts["by"], parts.get("through")), parts["reason"], from_text(parts["at"]))
