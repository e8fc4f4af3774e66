"""What speaks against a referral, in words for staff: what was counted, and from how many on it counts. No hash, no address."""

from collections.abc import Mapping
from typing import Final

from loyalty.attribution.model import Evidence, Signal

_ONE: Final = 1
_WORDS: Final[Mapping[Signal, str]] = {
    Signal.SAME_EMAIL: "has the referrer's mailbox, but for dots and tags",
    Signal.SAME_PHONE: "has the referrer's phone number",
    Signal.SAME_DEVICE: "came from the referrer's device",
    Signal.SAME_PAYMENT: "pays by what the referrer pays by",
    Signal.SAME_ADDRESS: "lives at the referrer's address",
    Signal.SAME_NETWORK: "came from behind the referrer's network",
    Signal.EXISTING_CUSTOMER: "{counted} other members had this mailbox or phone number before",
    Signal.ERASED_CUSTOMER: "{counted} of mailbox, phone and payment were of somebody who was erased since",
    Signal.DISPOSABLE_EMAIL: "the e-mail address is one that lasts minutes",
    Signal.DISPOSABLE_OTHERS: "the address lasts minutes, as do {counted}% of those of others whom the referrer brought",
    Signal.REFERRER_VELOCITY: "the referrer brought {counted} on that day (UTC)",
    Signal.DEVICE_VELOCITY: "{counted} members on this device within a week",
    Signal.PAYMENT_VELOCITY: "{counted} members pay by the same",
    Signal.NETWORK_VELOCITY: "{counted} members behind this network within a week",
    Signal.PROGRAM_VELOCITY: "about {counted} referrals of the whole program in that hour",
    Signal.CIRCLE: "whom they brought, directly or not, brought the referrer",
    Signal.IN_CIRCLE: "whom they brought brought the referrer since, directly or not",
    Signal.RING: "shares a device or payment with {counted} others whom the referrer brought",
    Signal.SHARED_ADDRESS: "shares an address with {counted} others whom the referrer brought",
    Signal.CHAIN: "one of {counted} links of who brought whom, each within an hour",
    Signal.EVEN_TIMING: "{counted}% of the distances between the referrer's new members are alike",
    Signal.ALIKE_EMAILS: "{counted} others whom the referrer brought have the same address but for digits",
    Signal.ONE_NETWORK: "{counted}% of others whom the referrer brought came from behind the same network",
    Signal.LEAST_PURCHASE: "hardly more was bought than counts, as by {counted}% of others whom the referrer brought",
    Signal.QUICK_PURCHASE: "it was bought within minutes, as by {counted}% of others whom the referrer brought",
    Signal.SOME_RETURNED: "{counted}% of the referrer's rewarded ones gave it back",
    Signal.MOST_RETURNED: "{counted}% of the referrer's rewarded ones gave it back, two at least",
}


def in_words(one: Evidence) -> str:
    """``3 members on this device within a week; counts from 3``."""
    said = _WORDS[one.signal].format(counted=f"{one.counted:,}")
    return said if one.bound == _ONE else f"{said}; counts from {one.bound:,}"
