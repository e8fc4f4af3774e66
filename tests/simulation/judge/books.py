"""Whether a book says what the model does."""

from collections import Counter
from collections.abc import Mapping

from loyalty.ledger.ladders import Standing
from loyalty.ledger.model import Balances, Book
from tests.simulation.judge.violation import require
from tests.simulation.oracle.ladders import STATUS, Stand
from tests.simulation.oracle.rules import MAIN
from tests.simulation.oracle.world import Number, PlainWorld


def compare_book(world: PlainWorld, book: Book, where: str) -> None:
    """Requires that a book says what the model does.

    Raises:
        Violation: it does not.
    """
    member = world.members[book.member_id]
    for name in {MAIN, *book.wallets, *member.wallets}:
        wallet, plain = book.wallet(name), member.wallet(name)
        right = balances_in(world.picture(book.member_id), name)
        require(wallet.balances == right, "balances", f"{where}: {name} is {wallet.balances}, not {right}")
        lots = dict(Counter(plain.free))
        require(dict(wallet.lots) == lots, "lots", f"{where}: {name} has {wallet.lots}, not {lots}")
        maturing = {f"{first}/{last}": points for (first, last), points in Counter(plain.pending).items()}
        require(dict(wallet.maturing) == maturing, "pending", f"{where}: {name} has {wallet.maturing}, not {maturing}")
    holds = {name: (hold.wallet, hold.points, hold.expires_at) for name, hold in book.holds.items()}
    right_holds = {name: (one.wallet, len(one.points), one.deadline) for name, one in member.timed_holds.items()}
    require(holds == right_holds, "holds", f"{where}: {holds}, not {right_holds}")
    counted = {key: number for key, number in book.qualifying.items() if number}
    right_counts = {key: number for key, number in member.standings.tallies.items() if number}
    require(counted == right_counts, "qualifying", f"{where}: {counted}, not {right_counts}")
    stands = {STATUS: Stand(book.tier, book.tier), **{name: stand_of(one) for name, one in book.standings.items()}}
    right_stands = member.standings.stands
    require(stands == right_stands, "tier", f"{where}: {stands}, not {right_stands}")
    told = book.tier, book.merged_into, sorted(book.absorbed)
    known = member.standings.tier, member.merged_into, sorted(member.absorbed)
    require(told == known, "book", f"{where}: {told}, not {known}")


def balances_in(picture: Mapping[Number, int], wallet: str) -> Balances:
    """The balances of a wallet, in a picture of a member."""
    available, pending, held, debt = (
        picture.get((wallet, "account", f"member:{name}"), 0) for name in ("available", "pending", "held", "debt")
    )
    return Balances(available, pending, held, -debt)


def stand_of(standing: Standing) -> Stand:
    """A standing in the model's words."""
    return Stand(
        standing.tier, standing.earned, standing.valid_until, standing.kept, standing.granted, standing.granted_until
    )
