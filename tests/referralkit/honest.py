"""Honest members: those who bring others because they like the shop, and share with them what people share.

What is here is meant to look like cheating: families on one card, students behind one network, a shop's assistants who
enroll one customer after the other, an influencer whose followers come by the hundred.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from tests.referralkit.people import DISPOSABLE, MINIMUM, Draw, Person, Purchase


def regulars(draw: Draw) -> None:
    """Somebody brings one to four friends, over weeks."""
    referrer = draw.member().person.member_id
    for _ in range(draw.rng.randrange(1, 5)):
        draw.comes(_friend(draw), draw.moment(), referrer, purchase=draw.purchase(), pattern="regular")


def family(draw: Draw) -> None:
    """One address and network, a card in common in two of five families, a tablet in one of forty."""
    home = {
        "address": draw.address(),
        "ip": draw.ip(),
        **({"payment": draw.token()} if draw.rng.random() < 0.4 else {}),
        **({"device": draw.token()} if draw.rng.random() < 0.025 else {}),
    }
    referrer = draw.member(**home).person.member_id
    at = draw.moment()
    for _ in range(draw.rng.randrange(1, 4)):
        at += draw.days(0, 5)
        draw.comes(draw.person(**home), at, referrer, purchase=draw.purchase(), pattern="family")


def office(draw: Draw) -> None:
    """Colleagues behind one network; some have parcels brought there."""
    network, address = draw.ip().rpartition(".")[0], draw.address()
    referrer = draw.member(ip=f"{network}.7").person.member_id
    at = draw.moment()
    for _ in range(draw.rng.randrange(2, 9)):
        at += draw.days(0, 2)
        there = {"ip": f"{network}.{draw.rng.randrange(1, 255)}"}
        there |= {"address": address} if draw.rng.random() < 0.3 else {}
        draw.comes(draw.person(**there), at, referrer, purchase=draw.purchase(), pattern="office")


def campus(draw: Draw) -> None:
    """Several students bring others of the same campus, within its two networks; some live in one house."""
    networks, house = [draw.ip().rpartition(".")[0] for _ in range(2)], draw.address()

    def student() -> Person:
        there = {"ip": f"{draw.rng.choice(networks)}.{draw.rng.randrange(1, 255)}"}
        return draw.person(**there, **({"address": house} if draw.rng.random() < 0.5 else {}))

    first = draw.moment(40)
    for _ in range(6):
        referrer = draw.member(ip=f"{networks[0]}.9", address=house).person.member_id
        for _ in range(draw.rng.randrange(2, 12)):
            at = first + draw.days(0, 14)
            draw.comes(student(), at, referrer, purchase=draw.purchase(), pattern="campus")


def influencer(draw: Draw) -> None:
    """Posts now and then; followers come within hours of a post, and some later."""
    followers(draw, draw.member().person.member_id, posts=4, each=60)


def followers(draw: Draw, referrer: str, *, posts: int, each: int) -> None:
    """Those who follow somebody. A third of them take what was shown, at once, and it costs just enough."""
    for _ in range(posts):
        at = draw.moment()
        for _ in range(draw.rng.randrange(each // 2, each * 3 // 2)):
            later = timedelta(hours=draw.rng.expovariate(1 / 7))
            bought = Purchase(draw.minutes(2, 20), MINIMUM) if draw.rng.random() < 0.35 else draw.purchase()
            draw.comes(_friend(draw), at + later, referrer, purchase=bought, pattern="influencer")


def at_the_till(draw: Draw) -> None:
    """A shop's assistant enrolls customers who are about to pay: no device, the shop's network at times, and all at once."""
    referrer = draw.member().person.member_id
    network = draw.ip() if draw.rng.random() < 0.5 else None
    for _ in range(draw.rng.randrange(10, 30)):
        cents = MINIMUM + int(draw.rng.lognormvariate(8.0, 0.9))
        bought = Purchase(draw.minutes(1, 6), cents, draw.days(1, 25) if draw.rng.random() < 0.04 else None)
        person = draw.person(device=None, ip=network, payment=None, address=None)
        draw.comes(person, draw.moment(), referrer, purchase=bought, pattern="till")


def appointments(draw: Draw) -> None:
    """A hairdresser enrolls every other customer, when the half hour is over."""
    referrer, at = draw.member().person.member_id, draw.moment().replace(hour=9, minute=0)
    for _ in range(draw.rng.randrange(12, 45)):
        at += timedelta(minutes=30) if at.hour < 18 else timedelta(hours=15)
        if draw.rng.random() < 0.5:
            friend = draw.person(ip=None, address=None)
            draw.comes(friend, at + draw.minutes(0, 9), referrer, purchase=draw.purchase(), pattern="appointments")


def party(draw: Draw) -> None:
    """Guests point their phones at a picture on the wall within the hour, in the house's network."""
    host = draw.member().person
    at, network = draw.moment(), draw.ip()
    for _ in range(draw.rng.randrange(8, 26)):
        there = draw.person(ip=network if draw.rng.random() < 0.7 else draw.ip())
        draw.comes(there, at + draw.minutes(0, 60), host.member_id, purchase=draw.purchase(), pattern="party")


def evening(draw: Draw) -> None:
    """A group of friends tell each other one evening: each brings the next, and one or two more."""
    at = draw.moment()
    referrer = draw.member().person.member_id
    for _ in range(draw.rng.randrange(2, 5)):
        at += draw.minutes(15, 400)
        friend = draw.comes(_friend(draw), at, referrer, purchase=draw.purchase(), pattern="evening").person
        if draw.rng.random() < 0.5:
            draw.comes(_friend(draw), at + draw.minutes(5, 300), referrer, purchase=draw.purchase(), pattern="evening")
        referrer = friend.member_id


def _friend(draw: Draw) -> Person:
    """Some use an address that lasts minutes, as they do everywhere."""
    person = draw.person()
    if draw.rng.random() < 0.015:
        return draw.person(email=f"{person.email.partition('@')[0]}@{draw.rng.choice(DISPOSABLE)}")
    return person


HONEST: Final[tuple[tuple[Callable[[Draw], None], int], ...]] = (
    (regulars, 110),
    (family, 50),
    (office, 10),
    (campus, 2),
    (influencer, 1),
    (at_the_till, 3),
    (appointments, 2),
    (party, 3),
    (evening, 12),
)
"""How many groups of each a world has."""
