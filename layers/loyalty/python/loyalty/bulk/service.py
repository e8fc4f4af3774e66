"""A campaign from its list to its decisions: what may be started, who approves it, how far it is.

::

    created ──► checked ──► awaiting_approval ──► running ──► done
                  │ malformed      │ no              ▲ │ lines refused, batches failed
                  ▼                ▼                 │ ▼
               refused          rejected          unfinished ◄── the machine failed: also from created

Starting a campaign again goes on with it: lines that are held stay held, those that were refused are tried again. A list that is
malformed then, of which lines may be held, leaves it unfinished.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from loyalty.bulk.errors import (
    CampaignDiffers,
    CampaignEnded,
    CampaignNotAwaitingApproval,
    ListInvalid,
    RewardNotForLists,
)
from loyalty.bulk.lists import check
from loyalty.bulk.model import BATCH, OVER, Batch, Campaign, CampaignStatus, Progress, Totals
from loyalty.bulk.store import CampaignStore
from loyalty.bulk.trail import campaign_line
from loyalty.core.clock import Clock
from loyalty.core.errors import RewardNotFound, SecondPersonRequired
from loyalty.core.files import Files
from loyalty.core.four_eyes import client_actor, person_actor, same_hands
from loyalty.core.ids import request_hash
from loyalty.ledger.model import POINTS
from loyalty.programs.model import Program, Reward
from loyalty.rewards.model import Party, Payer
from loyalty.rewards.pricing import price_of

Start = Callable[[Campaign], None]
"""Starts the state machine for a campaign."""
MOST_PROBLEM: Final = 4000
NOT_BEGUN: Final = "The list could not be checked; the execution of the state machine says why. Mend that, and start the campaign again."
_BEGUN: Final = frozenset({CampaignStatus.CREATED, CampaignStatus.RUNNING, CampaignStatus.UNFINISHED})
"""Of whom the state machine begins the list, and nobody has to decide first."""
_DIFFERS: Final = "another list, reward or payer. Go on with that one, or give this one another name."


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to start."""

    campaign: str
    reward_id: str
    paid_by: Payer
    sha256: str
    actor: str
    """A person, for whom the caller vouches."""
    client_id: str | None = None
    """The caller; None: an operator's shell."""
    operator: str | None = None
    """Whose credentials that shell has, ``operator:…``."""

    @property
    def through(self) -> str | None:
        """Who vouches for the person."""
        return self.operator if self.client_id is None else client_actor(self.client_id)


class Campaigns:
    """Campaigns of programs.

    Args:
        store: keeps them.
        files: the bucket with their lists.
        clock: gives the present moment.
        start: starts the state machine; the machine's own function starts none.
    """

    def __init__(self, store: CampaignStore, files: Files, clock: Clock, start: Start = lambda _: None) -> None:
        self._store = store
        self._files = files
        self._clock = clock
        self._start = start

    def create(self, program: Program, asked: Asked) -> Campaign:
        """A campaign whose list may be sent now; created again, it says where it stands.

        One that was refused before any of its lines was begun has used up nothing: its name is free for a list that is right.

        Raises:
            RewardNotFound, RewardNotForLists: nothing of the catalogue that the platform itself gives.
            CampaignDiffers: the name stands for another campaign.
        """
        reward_for_lists(program, asked.reward_id)
        wanted = Campaign(
            program=program.document.id,
            campaign=asked.campaign,
            reward_id=asked.reward_id,
            paid_by=asked.paid_by,
            sha256=asked.sha256,
            started_by=person_actor(asked.actor),
            started_through=asked.through,
            created_at=self._clock(),
        )
        found = self._store.create(wanted, campaign_line("created", wanted))
        same = (found.reward_id, found.paid_by, found.sha256) == (wanted.reward_id, wanted.paid_by, wanted.sha256)
        if found.status is CampaignStatus.REFUSED and found.running_since is None:
            return self._store.save(again := replace(wanted, revision=found.revision), campaign_line("created", again))
        if not same:
            raise CampaignDiffers(f"'{asked.campaign}' is the name of {_DIFFERS}")
        return found

    def start(self, program: str, campaign: str) -> Campaign:
        """Starts the state machine for a campaign whose list was sent, or goes on with it.

        Raises:
            CampaignNotFound: there is none.
            CampaignEnded: there is nothing to go on with.
            FileNotStored: its list was not sent.
        """
        found = self._store.get(program, campaign)
        if found.status in OVER:
            raise CampaignEnded(f"The campaign '{campaign}' is {found.status}.")
        self._files.look(found.list_key)
        self._store.record(campaign_line("started", found, at=self._clock()))
        self._start(found)
        return found

    def decide(
        self,
        program: Program,
        campaign: str,
        *,
        actor: str,
        approve: bool,
        client_id: str | None = None,
        operator: str | None = None,
        note: str | None = None,
    ) -> Campaign:
        """A second person's yes, after which the campaign runs, or no, which ends it. Said again, it is what it was.

        ``client_id`` is the caller, who vouches for ``actor``; None: an operator's shell, with the credentials of ``operator``.

        Raises:
            CampaignNotFound: there is none.
            SecondPersonRequired: it is the one who started it, or the client or operator that did, and the program wants another.
            CampaignNotAwaitingApproval: nobody is asked, or somebody decided otherwise.
        """
        found = self._store.get(program.document.id, campaign)
        person, through = person_actor(actor), operator if client_id is None else client_actor(client_id)
        by_two = program.document.four_eyes.approvals
        if by_two and same_hands((found.started_by, found.started_through), (person, through)):
            raise SecondPersonRequired(
                "Somebody else than whoever started the campaign decides on it, through another client or credentials of their own.",
                pointer="/actor",
            )
        said_before = found.decided_by == person and approve is (found.status is not CampaignStatus.REJECTED)
        if found.status is CampaignStatus.AWAITING_APPROVAL:
            status = CampaignStatus.RUNNING if approve else CampaignStatus.REJECTED
            who: dict[str, Any] = {
                "decided_by": person,
                "decided_through": through,
                "decided_at": self._clock(),
                "note": note,
            }
            decided = replace(found, status=status, approved=approve, **who)
            line = campaign_line("approved" if approve else "rejected", decided, before=found)
            found = self._store.save(decided, line)
        elif not said_before:
            by = f", approved by {found.decided_by}" if found.approved and found.decided_by else ""
            raise CampaignNotAwaitingApproval(
                f"The campaign '{campaign}' is {found.status}{by}: nobody is asked about it, and nothing was changed."
            )
        if approve and found.status is CampaignStatus.RUNNING and not _begun(found):
            # After it was written down: who was cut off here says it again, and it is started then.
            self._start(found)
        return found

    def begin(self, program: Program, campaign: str) -> list[Batch]:
        """Checks the list, and gives its batches; none where a person has to decide, or the list is not right.

        That is written down as the campaign's problem, and ends it if nothing of it was begun.

        Raises:
            CampaignNotFound: there is none.
            FileNotStored, FileChanged: its list is not there.
            RecordChanged: somebody decided meanwhile: begin again.
        """
        found = self._store.get(program.document.id, campaign)
        if found.status in OVER:
            return []
        try:
            checked, totals, batches = self._checked(program, found)
        except (ListInvalid, RewardNotFound, RewardNotForLists) as refusal:
            self._store.save(replace(found, status=_refused(found), problem=refusal.detail[:MOST_PROBLEM]))
            return []
        # What was approved was approved for what it came to then.
        approved = checked.approved and found.totals == totals
        if not approved and needs_approval(program, totals, found.paid_by):
            self._store.save(replace(checked, status=CampaignStatus.AWAITING_APPROVAL, approved=False))
            return []
        since = found.running_since or self._clock()
        self._store.save(replace(checked, status=CampaignStatus.RUNNING, approved=approved, running_since=since))
        return batches

    def end(self, program: str, campaign: str) -> tuple[Campaign, Progress]:
        """Sums up the batches, once no more are worked off.

        Raises:
            CampaignNotFound: there is none.
        """
        found = self._store.get(program, campaign)
        progress = self.progress(found)
        if found.status in {CampaignStatus.RUNNING, CampaignStatus.UNFINISHED}:
            status = CampaignStatus.DONE if progress.finished else CampaignStatus.UNFINISHED
            if status is not found.status:
                found = self._store.save(replace(found, status=status, problem=None))
        return found, progress

    def stop(self, program: str, campaign: str) -> Campaign:
        """Says that the list could not be begun, nor be refused; the campaign is started again once the cause is mended.

        Raises:
            CampaignNotFound: there is none.
        """
        found = self._store.get(program, campaign)
        if found.status in _BEGUN:
            found = self._store.save(replace(found, status=CampaignStatus.UNFINISHED, problem=NOT_BEGUN))
        return found

    def progress(self, campaign: Campaign) -> Progress:
        """How far a campaign is: a read for each page of batches."""
        done = held = refused = 0
        for batch in self._store.batches(campaign):
            done, held, refused = done + 1, held + batch.held, refused + len(batch.failures)
        lines = campaign.totals.lines if campaign.totals else 0
        return Progress(batches_of(lines), done, lines, held, refused)

    def ready_at(self, campaign: Campaign, progress: Progress) -> datetime | None:
        """When all batches will be worked off if they go on as they did (UTC); None where that cannot be said."""
        running = campaign.status is CampaignStatus.RUNNING and campaign.running_since is not None
        if not running or campaign.running_since is None or not 0 < progress.batches_done < progress.batches:
            return None
        now = self._clock()
        each = (now - campaign.running_since) / progress.batches_done
        return now + max(timedelta(), each * (progress.batches - progress.batches_done))

    def _checked(self, program: Program, found: Campaign) -> tuple[Campaign, Totals, list[Batch]]:
        reward = reward_for_lists(program, found.reward_id)
        stored = self._files.look(found.list_key)
        checked = check(
            self._files.read(stored),
            most_each=program.document.limits.redemption_quantity,
            price=lambda line: price_of(reward, line.quantity, line.amount),
            currency=only_currency(reward),
        )
        if checked.sha256 != found.sha256:
            raise ListInvalid("The file is not the one that the campaign was created for: its SHA-256 is another.")
        points = 0 if found.paid_by is Payer.PROGRAM else checked.points
        totals = Totals(checked.lines, checked.units, points, checked.value, terms_of(reward, found.paid_by))
        campaign = replace(
            found, totals=totals, columns=checked.columns, etag=stored.etag, size=stored.size, problem=None
        )
        return campaign, totals, list(checked.batches)


def _begun(campaign: Campaign) -> bool:
    """Whether its batches were begun since it was decided on; where the reward changed, it is decided on anew."""
    since, decided = campaign.running_since, campaign.decided_at
    return since is not None and decided is not None and since >= decided


def _refused(found: Campaign) -> CampaignStatus:
    """What becomes of a campaign whose list, or reward, is not right.

    Once batches were begun its lines may be held, under its name: it is gone on with when the cause is mended, for under
    another name they would be held again. Who is asked for an approval stays asked.
    """
    if found.running_since is None:
        return CampaignStatus.REFUSED
    return found.status if found.status is CampaignStatus.AWAITING_APPROVAL else CampaignStatus.UNFINISHED


def reward_for_lists(program: Program, reward_id: str) -> Reward:
    """A reward that the platform itself ends, so that nobody has to capture thousands of holds.

    Raises:
        RewardNotFound: not in the catalogue.
        RewardNotForLists: a partner ends it.
    """
    reward = program.document.reward(reward_id)
    if reward is None:
        raise RewardNotFound(f"Program '{program.document.id}' has no reward '{reward_id}'.", pointer="/reward_id")
    if reward.party is not Party.FULFILLMENT:
        raise RewardNotForLists(
            f"Rewards of type '{reward.type}' are given by the partner; a list is for those that the platform gives.",
            pointer="/reward_id",
        )
    return reward


def terms_of(reward: Reward, paid_by: Payer) -> str:
    """A hash of what one takes from a member and is worth; of all amounts of it, where they are chosen."""
    not_paid = {"points", "per"} if paid_by is Payer.PROGRAM else set[str]()
    # Not of the main one: what was approved before there were others still holds.
    further = {} if paid_by is Payer.PROGRAM or reward.wallet == POINTS else {"wallet": reward.wallet}
    return request_hash(
        further
        | {
            "points": 0 if paid_by is Payer.PROGRAM else reward.points,
            "worth": None if reward.worth is None else str(reward.worth),
            "denominations": [one.model_dump(mode="json", exclude=not_paid) for one in reward.denominations],
        }
    )


def only_currency(reward: Reward) -> str | None:
    """That of the amounts where there is one, so that a list need not say it; else None."""
    return reward.denominations[0].currency if len(reward.denominations) == 1 else None


def needs_approval(program: Program, totals: Totals, paid_by: Payer) -> bool:
    """Whether a second person decides: above the program's threshold, and wherever the program gives what has no price."""
    if totals.value is None:
        return paid_by is Payer.PROGRAM
    return program.document.fulfillment.needs_approval(totals.value)


def batches_of(lines: int) -> int:
    """How many batches so many lines make."""
    return -(-lines // BATCH)
