"""What links of members tell: that one was made, that somebody followed one. By the stream's raw images."""

import loyalty_contract as contract
from loyalty.core.table import RawItem
from loyalty.ledger.keys import parse_partition
from loyalty.publishing.events import Event, ReferralClicked, ReferralShared


def share_event(new: RawItem) -> tuple[str, Event]:
    """A link that a member was given."""
    program, member_id = parse_partition(new["pk"]["S"])
    return contract.REFERRAL_SHARED, ReferralShared(
        id=f"{program}/{member_id}/{new['sk']['S']}",
        program=program,
        member_id=member_id,
        campaign=new.get("campaign", {}).get("S"),
        channel=new["channel"]["S"],
        shared_at=new["at"]["S"],
    )


def click_event(new: RawItem) -> tuple[str, Event]:
    """A link that somebody followed."""
    _, program, click_id = new["pk"]["S"].split("#")
    return contract.REFERRAL_CLICKED, ReferralClicked(
        id=f"{program}/{click_id}",
        program=program,
        member_id=new["member_id"]["S"],
        click_id=click_id,
        code=new["code"]["S"],
        campaign=new.get("campaign", {}).get("S"),
        channel=new.get("channel", {}).get("S"),
        clicked_at=new["at"]["S"],
    )
