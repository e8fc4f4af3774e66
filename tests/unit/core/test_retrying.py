"""A change is tried as often as is said, with pauses, and what is said then is the caller's own."""

import pytest

from loyalty.core.errors import LoyaltyError, Unavailable, WalletBusy
from loyalty.core.retrying import Retries
from loyalty.core.table import TransactionRefused


@pytest.mark.parametrize(
    ("retries", "error"),
    [
        (Retries(attempts=3, base=1, cap=2, busy="Later."), WalletBusy),
        (Retries(attempts=3, base=1, cap=2, busy="Later.", error=Unavailable), Unavailable),
    ],
)
def test_it_waits_between_tries_and_gives_up_as_it_was_told(retries: Retries, error: type[LoyaltyError]) -> None:
    tries, pauses = list[int](), list[float]()

    def refused() -> None:
        tries.append(1)
        raise TransactionRefused({}, ["TransactionConflict"], contended=True)

    with pytest.raises(error, match=r"Later\."):
        retries.of(refused, pauses.append)
    assert (len(tries), len(pauses)) == (3, 3)
    assert all(0 <= pause <= most for pause, most in zip(pauses, (1, 2, 2), strict=True))
    assert retries.of(lambda: "done", pauses.append) == "done"
