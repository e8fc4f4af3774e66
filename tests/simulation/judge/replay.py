"""Every entry, in the order in which it was posted, made once more by the model, and compared."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from loyalty.commerce.items import parse_record_key
from loyalty.ledger.items import book_of
from loyalty.ledger.model import POINTS, Entry, EntryKind
from tests.simulation.faults import LATE
from tests.simulation.judge.books import balances_in, compare_book
from tests.simulation.judge.budgets import Budgets
from tests.simulation.judge.commits import Commit, Part
from tests.simulation.judge.telling import changes_of, difference, fact, less, same_money, same_wish, shown_entry
from tests.simulation.judge.violation import Violation, require
from tests.simulation.naming import Ids, by_identity
from tests.simulation.oracle import accruals, judgement, moving
from tests.simulation.oracle.commands import (
    Accrue,
    Adjust,
    Command,
    Decide,
    Give,
    Merge,
    Recalculate,
    Refused,
    TakeBack,
)
from tests.simulation.oracle.member import Due, PlainMember
from tests.simulation.oracle.rules import Rules
from tests.simulation.oracle.standings import GRANT_END, REVIEW, TIER_WARNING
from tests.simulation.oracle.tiers import stand_facts
from tests.simulation.oracle.world import Number, PlainWorld, Replayed, When
from tests.simulation.scenario import Call, Played
from tests.simulation.showing import shown

SETTLEMENTS: Final = frozenset({"timeout", "warning", "tier_warning", "maturity", "expiry"})
MOST_RULES: Final = 3
"""Of one campaign."""
TIER_ENDS: Final = frozenset({REVIEW, GRANT_END})


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
        self._version_of = {call.client: call.version for call in played.calls}
        self.command_of: dict[tuple[str, str], Command] = {}
        """Of which command an entry came."""
        self.settled: Counter[str] = Counter()
        self.ever_kept: dict[tuple[str, str], TakeBack] = {}
        """What was given back of purchases before they came by event."""
        campaigns = played.history.documents[0]["campaigns"]
        self.budget_limits = {one["id"]: one["budget_points"] for one in campaigns if "budget_points" in one}
        self.budgets = Budgets(played.simulation.engine.changes, self.budget_limits)
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
            while left[part.member] and _fell_due(left[part.member][0]):
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
            raise Violation("settlement", f"{shown_entry(entry)}: nothing falls due until then")
        identity = f"{due.identity}/{entry.seq}" if due.kind in TIER_ENDS else due.identity
        require(identity == entry.entry_id, "settlement", f"{shown_entry(entry)} where {due} comes first")
        require(entry.facts.occurred_at == due.at, "settlement", f"{shown_entry(entry)} should tell of {due.at}")
        before = self.world.picture(entry.member_id)
        facts = self._happens(due, member, rules)
        after = self.world.picture(entry.member_id)
        self._compare(entry, Expected(due.identity, difference(before, after), after, facts))
        self.settled[due.kind] += 1

    def _happens(self, due: Due, member: PlainMember, rules: Rules) -> Mapping[str, object]:
        """Lets it happen, and says what its entry has to tell."""
        if due.kind in TIER_ENDS:
            ladder = rules.ladder(due.name)
            before = member.standings.stand(ladder)
            member.happen(due, rules)
            return stand_facts(ladder, before, member.standings.stand(ladder))
        member.happen(due, rules)
        if due.kind == TIER_WARNING:
            ladder = rules.ladder(due.wallet)
            stand = member.standings.stand(ladder)
            falls_to = ladder.falls_to(stand, member.standings.tallies, member.enrolled(rules))
            return {"ladder": ladder.id, "tier_from": stand.tier, "falls_to": falls_to}
        if due.kind == "timeout":
            return {"redemption_id": due.name}
        if due.kind != "warning":
            return {}
        lot = due.name.split("/")[0]
        return {"lot": lot, "lot_points": member.wallet(due.wallet).free.count(lot)}

    def _posted(self, entry: Entry, commit: Commit) -> None:
        self._in_order(entry)
        expected = self._expected[entry.member_id]
        if not expected:
            self._run(entry, commit)
        require(expected, "unexpected", f"{shown_entry(entry)}")
        first = expected.popleft()
        require(first.identity == entry.entry_id, "unexpected", f"{shown_entry(entry)} in place of {first.identity}")
        self._compare(entry, first)

    def _run(self, entry: Entry, commit: Commit) -> None:
        """Finds the command that the entry is of, and lets the model obey it."""
        candidates = self._candidates(entry, commit)
        require(candidates, "unexpected", f"nobody asked for {shown_entry(entry)}")
        tries = [(command, unseen) for command in candidates for unseen in self._unseen(command, entry, commit)]
        failures: list[str] = []
        for command, unseen in tries:
            world = self.world
            self.world = world.copy() if len(tries) > 1 else world
            try:
                made = list(self._made(command, entry, commit, unseen))
            except Violation as violation:
                failures.append(str(violation))
                self.world = world
                continue
            if len(tries) == 1 or _is_of(entry, made):
                self._expect(command, made)
                return
            self.world = world
        if len(candidates) == 1 and not failures:  # what is wrong with it is told number by number
            self._expect(candidates[0], list(self._made(candidates[0], entry, commit, {})))
            return
        raise Violation(
            "refused", "; ".join(failures) or f"{shown_entry(entry)} is of none of {shown(tuple(candidates))}"
        )

    def _expect(self, command: Command, made: Sequence[tuple[str, Expected]]) -> None:
        for member, expected in made:
            self._expected[member].append(expected)
            self.command_of[member, expected.identity] = command

    def _unseen(self, command: Command, entry: Entry, commit: Commit) -> Iterator[Mapping[str, int]]:
        """Of budgets, what whoever decided may not have seen of what is left, or seen although it was gone: mostly nothing.

        What an accrual uses is as it was read; of other shards something may have been taken, or given back, meanwhile.
        """
        yield {}
        if not isinstance(command, Accrue) or not self.budget_limits:
            return
        calls = [call.sent_after for call in self.played.calls if call.command == command]
        used: Counter[str] = Counter()
        for campaign, _, number in self.budgets.used_by(entry):
            used[campaign] += number
        for campaign, limit in self.budget_limits.items():
            left = limit - self.world.spent[f"campaign:{campaign}"]
            possible = self.budgets.seen(campaign, min(calls), commit.number)
            # What several rules take is counted in whole points each, though less of it may be given.
            # A rule that gives all or nothing may use less than was left: then as little or as much as there can have been.
            likely = range(used[campaign], used[campaign] + MOST_RULES + 1)
            for seen in sorted({*likely, possible[0], possible[-1]}):
                if seen in possible and seen != left >= used[campaign]:
                    yield {f"campaign:{campaign}": left - seen}

    def _made(
        self, command: Command, entry: Entry, commit: Commit, unseen: Mapping[str, int]
    ) -> Iterator[tuple[str, Expected]]:
        if isinstance(command, Recalculate):
            command = self._with_moment(command)
        rules = self._rules(entry)
        # A reversal's entry names the version of its accrual; what is due by then is so by its writer's.
        writers = self._version_of.get(commit.author.removeprefix(LATE))
        for member in self.involved(command):
            self._nothing_due(member, entry, self.rules[writers] if writers else rules)
        dropped = frozenset(key for key, number in entry.movement.qualifying.items() if number < 0)
        when = When(entry.posted_at, rules, self._day(command, commit), dropped, unseen)
        pictures = {member: self.world.picture(member) for member in self.involved(command)}
        try:
            for step in judgement.steps(self.world, command, when):
                after = self.world.picture(step.member)
                changes = difference(pictures[step.member], after)
                pictures[step.member] = after
                yield step.member, Expected(step.identity, changes, after, step.facts)
        except Refused as refusal:
            raise Violation(
                "refused", f"{shown_entry(entry)} where {shown(command)} is refused: {refusal.code}"
            ) from None
        except Replayed as replayed:
            raise Violation("twice", f"{shown_entry(entry)} where {replayed.identity} was posted before") from None

    def _nothing_due(self, member: str, entry: Entry, rules: Rules) -> None:
        due = self.world.members[member].next_due(rules, entry.posted_at)
        require(due is None, "settlement", f"{shown_entry(entry)} before {due} of {member}")

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
            right = [command for command in asked if same_money(command, raw["refunds"]["M"][refund_id]["S"])]
            require(right, "kept", f"{source}:{refund_id} waits as nobody sent it: {raw}")
            now[refund_id] = before.get(refund_id, right[0].content)
            self.ever_kept[source, refund_id] = right[0]
        self.world.kept[source, source_id] = now

    def _kept(self, member: str, raw: Mapping[str, Any]) -> None:
        source, source_id = raw["source"]["S"], raw["source_id"]["S"]
        when = When(datetime.fromisoformat(raw["received_at"]["S"]), self.latest)
        problems = []
        for command in self.by_identity.get(f"reversal:{source}:{source_id}", ()):
            if not isinstance(command, TakeBack) or command.member != member or not same_wish(command, raw):
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
        require(last is None or entry.posted_at >= last, "order", f"{shown_entry(entry)} was posted before {last}")
        latest = self.played.simulation.time.now + timedelta(seconds=self.played.history.faults.skew_seconds)
        require(entry.posted_at <= latest, "order", f"{shown_entry(entry)} was posted in the future")
        self._last[entry.member_id] = entry.posted_at
        self.entries[entry.member_id, entry.entry_id] = entry

    def _compare(self, entry: Entry, expected: Expected) -> None:
        changes = changes_of(entry)
        require(
            changes == dict(expected.changes),
            "points",
            lambda: (
                f"{shown_entry(entry)} did {less(changes, expected.changes)} in place of {less(expected.changes, changes)}"
            ),
        )
        for wallet, balances in entry.after.items():
            right = balances_in(expected.after, wallet)
            require(balances == right, "balances", f"{shown_entry(entry)} left {wallet} at {balances}, not {right}")
        require(POINTS in entry.after, "balances", f"{shown_entry(entry)} does not tell of {POINTS}")
        require(
            entry.movement.tier == expected.facts.get("tier"), "tier", f"{shown_entry(entry)} {entry.movement.tier}"
        )
        for name, wanted in expected.facts.items():
            told = fact(entry, name)
            require(told == wanted, "facts", f"{shown_entry(entry)} tells {name} {told}, not {wanted}")

    def _compare_book(self, part: Part) -> None:
        book = book_of(part.book)
        compare_book(self.world, book, f"book of {part.member} after posting {book.seq}")


def _versions(played: Played) -> Sequence[tuple[Any, Mapping[str, Any]]]:
    return list(zip(played.programs, played.history.documents, strict=True))


def _fell_due(entry: Entry) -> bool:
    """Whether it is of what happens by itself."""
    return entry.key.kind in SETTLEMENTS or (entry.key.kind is EntryKind.TIER and entry.key.source in TIER_ENDS)


def _is_of(entry: Entry, made: Sequence[tuple[str, Expected]]) -> bool:
    """Whether the entry is what this command makes, of several that share an identity."""
    for member, expected in made:
        if (member, expected.identity) == (entry.member_id, entry.entry_id):
            facts = all(fact(entry, name) == right for name, right in expected.facts.items())
            return facts and changes_of(entry) == dict(expected.changes)
    return False
