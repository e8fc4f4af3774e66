"""Many redemptions for fewer codes at once: each code to one, the others' points back; nothing lost, nothing twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from pynamodb.exceptions import PynamoDBException

from loyalty.core import problems
from loyalty.core.errors import Unavailable, WalletBusy
from loyalty.core.table import Table
from loyalty.delivery.model import Outcome
from tests.unit.delivery.rig import Rig

pytestmark = pytest.mark.integration

MEMBERS = [f"mbr_{number:02}" for number in range(16)]
CODES = [f"SUN-{number:04}" for number in range(10)]


def test_of_sixteen_redemptions_ten_get_one_of_ten_codes(table: Table) -> None:
    rig = Rig(table).ready(*MEMBERS)
    rig.load(*CODES)
    ids = {member: rig.hold("key", "summer", member=member)[0].redemption_id for member in MEMBERS}

    def delivered(member: str) -> Outcome:
        """An event comes again for as long as the function fails, and once more: the queue promises no less."""
        while True:
            try:
                outcome = rig.deliver(ids[member], member=member)
            except (Unavailable, WalletBusy):
                continue
            except PynamoDBException as error:
                if problems.of(error).status != 503:
                    raise
                continue
            return outcome

    with ThreadPoolExecutor(16) as pool:
        outcomes = Counter(pool.map(delivered, [*MEMBERS, *MEMBERS]))
    assert outcomes[Outcome.DELIVERED] + outcomes[Outcome.ALREADY_DELIVERED] == 20
    assert outcomes[Outcome.RELEASED] + outcomes[Outcome.ALREADY_RELEASED] == 12
    statuses = {member: rig.redemptions.get("acme", member, ids[member]).status for member in MEMBERS}
    winners = [member for member, status in statuses.items() if status == "captured"]
    assert sorted(rig.code(ids[member], member=member) or "" for member in winners) == CODES
    assert Counter(statuses.values()) == {"captured": 10, "released": 6}
    assert (rig.pool.left("acme", "summer"), list(rig.pool.hashes("acme", "summer"))) == (0, [])
    assert rig.audit() == []
