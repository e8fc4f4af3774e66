"""Every entry, in the order in which it was posted, made once more by the model, and compared."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from loyalty.commerce.items import parse_record_key
from loyalty.core.money import Money
from loyalty.ledger.model import POINTS, Entry
from loyalty.ledger.store import book_of
from tests.simulation.faults import LATE
from tests.simulation.judge.books import balances_in, compare_book
from tests.simulation.judge.commits import Commit, Part
from tests.simulation.judge.violation import Violation, require
from tests.simulation.naming import Ids, by_identity
from tests.simulation.oracle import accruals, judgement, moving
from tests.simulation.oracle.commands import Adjust, Command, Decide, Give, Merge, Recalculate, Refused, Sum, TakeBack
from tests.simulation.oracle.member import Due
from tests.simulation.oracle.rules import DECIMALS, Rules
from tests.simulation.oracle.world import Number, PlainWorld, Replayed, When
from tests.simulation.scenario import Call, Played
from tests.simulation.showing import shown

SETTLEMENTS: Final = frozenset({"timeout", "warning", "maturity", "expiry"})


@dataclass(frozen=True, slots=True)
class Expected:
    """An entry that has to come next of a member."""

    identity: str
    changes: Mapping[Number, int]
    after: Mapping[Number, int]
    facts: Mapping[str, object]


class Replay:
    """The model on its way through a history."""

    def __init__(self, played: Played) -> None:
        self.played = played
        self.rules = {program.version: Rules(document, program.version) for program, document in _versions(played)}
        self.latest = self.rules[max(self.rules)]
        self.strictest = min(self.rules.values(), key=lambda rules: rules.limit("adjustment_points", 10_000))
        self.world = PlainWorld(self.rules, Ids())
        for member, moment in played.opened_at.items():
            self.world.enroll(member, moment)
        self.by_identity = by_identity(played.commands, played.history.members)
        self.entries: dict[tuple[str, str], Entry] = {}
        """By member and identity."""
        self.command_of: dict[tuple[str, str], Command] = {}
        """Of which command an entry came."""
        self.settled: Counter[str] = Counter()
        self.ever_kept: dict[tuple[str, str], TakeBack] = {}
        """What was given back of purchases before they came by event."""
        self._expected: dict[str, deque[Expected]] = {member: deque() for member in played.history.members}
        self._last: dict[str, datetime] = {}

    def apply(self, commit: Commit) -> None:
        """The model does what was committed.

        Raises:
            Violation: it does not, or does something else.
        """
        if commit.record is not None:
            self._record(commit)
            return
        left = {part.member: deque(part.entries) for part in commit.parts}
        for part in commit.parts:
            while left[part.member] and left[part.member][0].key.kind in SETTLEMENTS:
                self._settled(left[part.member].popleft())
        for part in commit.parts:
            for entry in left[part.member]:
                self._posted(entry, commit)
        for part in commit.parts:
            expected = self._expected[part.member]
            require(not expected, "missing", lambda e=expected: f"{e[0].identity} did not follow")
            self._compare_book(part)

    def _settled(self, entry: Entry) -> None:
        self._in_order(entry)
        member = self.world.members[entry.member_id]
        rules = self._rules(entry)
        due = member.next_due(rules, entry.posted_at)
        if due is None:
            raise Violation("settlement", f"{_shown(entry)}: nothing falls due until then")
        require(due.identity == entry.entry_id, "settlement", f"{_shown(entry)} where {due} comes first")
        require(entry.facts.occurred_at == due.at, "settlement", f"{_shown(entry)} should tell of {due.at}")
        before = self.world.picture(entry.member_id)
        member.happen(due, rules)
        after = self.world.picture(entry.member_id)
        facts = self._facts_of_due(due, entry.member_id)
        self._compare(entry, Expected(due.identity, _difference(before, after), after, facts))
        self.settled[due.kind] += 1

    def _facts_of_due(self, due: Due, member: str) -> Mapping[str, object]:
        if due.kind == "timeout":
            return {"redemption_id": due.name}
        if due.kind != "warning":
            return {}
        lot = due.name.split("/")[0]
        return {"lot": lot, "lot_points": self.world.members[member].wallet(due.wallet).free.count(lot)}

    def _posted(self, entry: Entry, commit: Commit) -> None:
        self._in_order(entry)
        expected = self._expected[entry.member_id]
        if not expected:
            self._run(entry, commit)
        require(expected, "unexpected", f"{_shown(entry)}")
        first = expected.popleft()
        require(first.identity == entry.entry_id, "unexpected", f"{_shown(entry)} in place of {first.identity}")
        self._compare(entry, first)

    def _run(self, entry: Entry, commit: Commit) -> None:
        """Finds the command that the entry is of, and lets the model obey it."""
        candidates = self._candidates(entry, commit)
        require(candidates, "unexpected", f"nobody asked for {_shown(entry)}")
        failures: list[str] = []
        for command in candidates:
            world = self.world
            self.world = world.copy() if len(candidates) > 1 else world
            try:
                made = list(self._made(command, entry, commit))
            except Violation as violation:
                failures.append(str(violation))
                self.world = world
                continue
            if len(candidates) == 1 or _is_of(entry, made):
                for member, expected in made:
                    self._expected[member].append(expected)
                    self.command_of[member, expected.identity] = command
                return
            self.world = world
        raise Violation("refused", "; ".join(failures) or f"{_shown(entry)} is of none of {shown(tuple(candidates))}")

    def _made(self, command: Command, entry: Entry, commit: Commit) -> Iterator[tuple[str, Expected]]:
        if isinstance(command, Recalculate):
            command = self._with_moment(command)
        for member in self.involved(command):
            self._nothing_due(member, entry)
        rules = self._rules(entry)
        when = When(entry.posted_at, rules, self._day(command, commit))
        pictures = {member: self.world.picture(member) for member in self.involved(command)}
        try:
            for step in judgement.steps(self.world, command, when):
                after = self.world.picture(step.member)
                changes = _difference(pictures[step.member], after)
                pictures[step.member] = after
                yield step.member, Expected(step.identity, changes, after, step.facts)
        except Refused as refusal:
            raise Violation("refused", f"{_shown(entry)} where {shown(command)} is refused: {refusal.code}") from None
        except Replayed as replayed:
            raise Violation("twice", f"{_shown(entry)} where {replayed.identity} was posted before") from None

    def _nothing_due(self, member: str, entry: Entry) -> None:
        due = self.world.members[member].next_due(self._rules(entry), entry.posted_at)
        require(due is None, "settlement", f"{_shown(entry)} before {due} of {member}")

    def involved(self, command: Command) -> list[str]:
        """Whose books it may be about."""
        named = [command.member]
        if isinstance(command, Give):
            named.append(command.to)
        if isinstance(command, Merge):
            named.append(command.absorbed)
        return list(dict.fromkeys(one for name in named for one in self.world.relatives(name)))

    def _sent_by_author(self, commit: Commit) -> set[Command]:
        """What the client that wrote it was waiting for just then, or had given up waiting for."""
        late, client = commit.author.startswith(LATE), commit.author.removeprefix(LATE)
        return {
            call.command
            for call in self.played.calls
            if call.client == client and call.sent_after < commit.first and (late or call.ended_after >= commit.number)
        }

    def _candidates(self, entry: Entry, commit: Commit) -> list[Command]:
        """What the entry may be of: first what its author had sent, but it may be what somebody had sent and was kept."""
        found = []
        for command in self.by_identity.get(entry.entry_id, ()):
            if isinstance(command, Decide) and not command.approved:
                continue
            if isinstance(command, Merge) and entry.member_id not in {command.member, command.absorbed}:
                continue
            if entry.member_id in self.involved(command):
                found.append(command)
        sent = self._sent_by_author(commit)
        return sorted(found, key=lambda command: command not in sent)

    def _with_moment(self, command: Recalculate) -> Recalculate:
        posted = [entry for (_, identity), entry in self.entries.items() if identity == command.cause]
        require(posted, "unexpected", f"{shown(command)} without its cause")
        return Recalculate(command.member, command.cause, posted[0].posted_at)

    def _day(self, command: Command, commit: Commit) -> date | None:
        """The day of a transfer is that of its client's clock."""
        if not isinstance(command, Give):
            return None
        calls = [call for call in self.played.calls if call.command == command and call.sent_after < commit.number]
        days = sorted({self.day_of(call) for call in calls})
        return next((day for day in days if day.isoformat() in commit.days), days[-1] if days else None)

    def day_of(self, call: Call) -> date:
        """What the client's calendar showed when it sent the command."""
        return self.latest.calendar.date_of(call.clocks[0])

    def _record(self, commit: Commit) -> None:
        """A record that was written by itself."""
        change = commit.record
        if change is None or change.new is None:
            return
        new, old = change.new, change.old or {}
        if new["sk"]["S"] == "PURCHASE":
            self._purchase(new)
            return
        member = new["pk"]["S"].split("#")[2]
        if new["sk"]["S"].startswith("WAITING#"):
            if "code" not in new and (not old or "code" in old):
                self._kept(member, new)
        elif new["status"]["S"] in {"proposed", "rejected"}:
            self._decided(member, new)

    def _purchase(self, raw: Mapping[str, Any]) -> None:
        """What was given back of a purchase is kept, or not any more."""
        _, source, source_id = parse_record_key(raw["pk"]["S"])
        before = self.world.kept.get((source, source_id), {})
        now: dict[str, object] = {}
        for refund_id in raw.get("refunds", {"M": {}})["M"]:
            asked = [
                command
                for command in self.by_identity.get(f"reversal:{source}:{refund_id}", ())
                if isinstance(command, TakeBack) and command.by_event and command.accrual_id == source_id
            ]
            right = [command for command in asked if _same_money(command, raw["refunds"]["M"][refund_id]["S"])]
            require(right, "kept", f"{source}:{refund_id} waits as nobody sent it: {raw}")
            now[refund_id] = before.get(refund_id, right[0].content)
            self.ever_kept[source, refund_id] = right[0]
        self.world.kept[source, source_id] = now

    def _kept(self, member: str, raw: Mapping[str, Any]) -> None:
        source, source_id = raw["source"]["S"], raw["source_id"]["S"]
        when = When(datetime.fromisoformat(raw["received_at"]["S"]), self.latest)
        problems = []
        for command in self.by_identity.get(f"reversal:{source}:{source_id}", ()):
            if not isinstance(command, TakeBack) or command.member != member or not _same_wish(command, raw):
                continue
            try:
                accruals.keep(self.world, command, when)
            except (Refused, Replayed) as refusal:
                problems.append(str(refusal))
            else:
                return
        raise Violation("kept", f"{source}:{source_id} of {member} waits, and should not: {problems}")

    def _decided(self, member: str, raw: Mapping[str, Any]) -> None:
        """An adjustment was proposed or rejected, which posts nothing."""
        identity = "adjustment:adjustment:" + raw["sk"]["S"].removeprefix("ADJUSTMENT#")
        status, points = raw["status"]["S"], int(raw["points"]["N"])
        problems = []
        for command in self.by_identity.get(identity, ()):
            try:
                match command:
                    case Adjust() if status == "proposed" and command.points == points:
                        moving.propose(self.world, command, self.strictest)
                        return
                    case Decide(approved=False, actor=actor) if status == "rejected":
                        if actor == raw["decided_by"]["S"]:
                            when = When(datetime.fromisoformat(raw["decided_at"]["S"]), self.latest)
                            list(moving.decide(self.world, command, when))
                            return
            except (Refused, Replayed) as refusal:
                problems.append(str(refusal))
        raise Violation("decided", f"{identity} of {member} became {status}: {problems}")

    def _rules(self, entry: Entry) -> Rules:
        return self.rules[entry.facts.program_version]

    def _in_order(self, entry: Entry) -> None:
        last = self._last.get(entry.member_id)
        require(last is None or entry.posted_at >= last, "order", f"{_shown(entry)} was posted before {last}")
        latest = self.played.simulation.time.now + timedelta(seconds=self.played.history.faults.skew_seconds)
        require(entry.posted_at <= latest, "order", f"{_shown(entry)} was posted in the future")
        self._last[entry.member_id] = entry.posted_at
        self.entries[entry.member_id, entry.entry_id] = entry

    def _compare(self, entry: Entry, expected: Expected) -> None:
        changes = _changes(entry)
        require(
            changes == dict(expected.changes),
            "points",
            lambda: (
                f"{_shown(entry)} did {_less(changes, expected.changes)} in place of {_less(expected.changes, changes)}"
            ),
        )
        for wallet, balances in entry.after.items():
            right = balances_in(expected.after, wallet)
            require(balances == right, "balances", f"{_shown(entry)} left {wallet} at {balances}, not {right}")
        require(POINTS in entry.after, "balances", f"{_shown(entry)} does not tell of {POINTS}")
        require(entry.movement.tier == expected.facts.get("tier"), "tier", f"{_shown(entry)} {entry.movement.tier}")
        for name, wanted in expected.facts.items():
            told = _fact(entry, name)
            require(told == wanted, "facts", f"{_shown(entry)} tells {name} {told}, not {wanted}")

    def _compare_book(self, part: Part) -> None:
        book = book_of(part.book)
        compare_book(self.world, book, f"book of {part.member} after posting {book.seq}")


def _versions(played: Played) -> Sequence[tuple[Any, Mapping[str, Any]]]:
    return list(zip(played.programs, played.history.documents, strict=True))


def _changes(entry: Entry) -> dict[Number, int]:
    found: dict[Number, int] = {}
    for name, change in entry.movement.changes.items():
        found |= {(name, "account", str(account)): points for account, points in change.postings.items()}
        found |= {(name, "lot", lot): points for lot, points in change.lots.items()}
        found |= {(name, "bucket", bucket): points for bucket, points in change.maturing.items()}
    found |= {("", "qualifying", year): points for year, points in entry.movement.qualifying.items()}
    return {number: points for number, points in found.items() if points}


def _difference(before: Mapping[Number, int], after: Mapping[Number, int]) -> dict[Number, int]:
    numbers = {number: after.get(number, 0) - before.get(number, 0) for number in {**before, **after}}
    return {number: points for number, points in numbers.items() if points}


def _fact(entry: Entry, name: str) -> object:
    """What an entry tells, in the model's words."""
    match name:
        case "tier":
            return entry.movement.tier
        case "amount":
            amount = entry.facts.amount
            return None if amount is None else Sum(_units(amount), amount.currency)
        case "worth":
            amount = entry.facts.amount
            return None if amount is None else _units(amount)
        case "lines":
            return {key: (line.quantity, _units(line.amount)) for key, line in entry.facts.lines.items()}
        case "policy":
            return None if entry.facts.policy is None else str(entry.facts.policy)
        case _:
            return getattr(entry.facts, name)


def _units(amount: Any) -> int:
    return int(amount.amount.scaleb(DECIMALS[amount.currency]))


def _less(numbers: Mapping[Number, int], others: Mapping[Number, int]) -> str:
    left = {number: points for number, points in numbers.items() if others.get(number) != points}
    return ", ".join(f"{'/'.join(number)} {points:+}" for number, points in sorted(left.items())) or "nothing"


def _shown(entry: Entry) -> str:
    return f"{entry.member_id} {entry.seq} {entry.entry_id} at {entry.posted_at.isoformat()}"


def _same_wish(command: TakeBack, raw: Mapping[str, Any]) -> bool:
    lines = {name: int(number["N"]) for name, number in raw.get("lines", {"M": {}})["M"].items()}
    amount = raw.get("amount", {}).get("S")
    told = raw["accrual_source_id"]["S"], lines, "everything" in raw, raw["reason"]["S"], amount is not None
    wish = command.accrual_id, dict(command.lines), command.everything, command.reason, command.amount is not None
    return told == wish


def _same_money(command: TakeBack, text: str) -> bool:
    occurred_at, amount, currency = text.split(" ")[:3]
    money = Money.parse(f"{amount} {currency}")
    told = datetime.fromisoformat(occurred_at), Sum(_units(money), currency)
    return told == (command.occurred_at, command.amount)


def _is_of(entry: Entry, made: Sequence[tuple[str, Expected]]) -> bool:
    """Whether the entry is what this command makes, of several that share an identity."""
    for member, expected in made:
        if (member, expected.identity) == (entry.member_id, entry.entry_id):
            facts = all(_fact(entry, name) == right for name, right in expected.facts.items())
            return facts and _changes(entry) == dict(expected.changes)
    return False
