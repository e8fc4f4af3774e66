"""Abuse, as it is known from programs that pay for new customers: a function for each pattern.

Some patterns leave one trace alone (timing, a card, the least purchase), and one leaves none: strangers who are paid.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from tests.referralkit.honest import followers
from tests.referralkit.people import DISPOSABLE, MINIMUM, Coming, Draw, Erasing, Purchase


def own_mailbox(draw: Draw) -> None:
    """The same mailbox again: as it is, with dots, with a tag. Often on the same device."""
    mine = draw.member(email=f"{draw.token()}@gmail.com").person
    at = draw.moment()
    for number in range(draw.rng.randrange(1, 4)):
        local = mine.email.partition("@")[0]
        spelled = (f"{local}", f"{local}+{number}", f"{local[0]}.{local[1:]}")[draw.rng.randrange(3)]
        shared = {"device": mine.device, "ip": mine.ip} if draw.rng.random() < 0.5 else {}
        at += draw.minutes(5, 3000)
        again = draw.person(email=f"{spelled}@gmail.com", **shared)
        draw.comes(again, at, mine.member_id, purchase=draw.least(), pattern="own mailbox", abusive=True)


def second_phone(draw: Draw) -> None:
    """One old phone, on which account after account is made; mailboxes and cards are new."""
    referrer, phone = draw.member().person.member_id, draw.token()
    at = draw.moment()
    for _ in range(draw.rng.randrange(4, 12)):
        at += draw.days(0, 1.5)
        draw.comes(
            draw.person(device=phone),
            at,
            referrer,
            purchase=draw.purchase() or draw.least(),
            pattern="second phone",
            abusive=True,
        )


def one_card(draw: Draw) -> None:
    """All pay with one card; all else differs."""
    referrer, card = draw.member().person.member_id, draw.token()
    at = draw.moment()
    for _ in range(draw.rng.randrange(5, 12)):
        at += draw.days(0, 2)
        draw.comes(
            draw.person(payment=card),
            at,
            referrer,
            purchase=draw.purchase() or draw.least(),
            pattern="one card",
            abusive=True,
        )


def throw_away_mail(draw: Draw) -> None:
    """Mailboxes that last minutes."""
    referrer = draw.member().person.member_id
    at = draw.moment()
    for _ in range(draw.rng.randrange(6, 20)):
        at += draw.days(0, 0.6)
        person = draw.person(email=f"{draw.token()}@{draw.rng.choice(DISPOSABLE)}", payment=None)
        draw.comes(
            person, at, referrer, purchase=draw.purchase() or draw.least(), pattern="throw-away mail", abusive=True
        )


def circle(draw: Draw) -> None:
    """Three to five accounts, each of which names the code of the one before; the first the last one's, afterwards."""
    people = [draw.person() for _ in range(draw.rng.randrange(3, 6))]
    at = draw.moment()
    for place, person in enumerate(people):
        at += draw.minutes(20, 900)
        after = timedelta(days=3) if place == 0 else None
        bought = draw.purchase() or draw.least()
        draw.events.append(Coming(person, at, people[place - 1].member_id, bought, after, "circle", abusive=True))


def puppets(draw: Draw) -> None:
    """A chain: each account brings the next one a few minutes later."""
    referrer, at = draw.member().person.member_id, draw.moment()
    network = draw.ip().rpartition(".")[0]
    for _ in range(draw.rng.randrange(6, 12)):
        at += draw.minutes(4, 35)
        person = draw.person(ip=f"{network}.{draw.rng.randrange(1, 255)}")
        draw.comes(person, at, referrer, purchase=draw.least(), pattern="puppets", abusive=True)
        referrer = person.member_id


def clockwork(draw: Draw) -> None:
    """A program makes accounts at even distances, by night not; devices, networks and purchases are all different."""
    referrer, at = draw.member().person.member_id, draw.moment()
    every = draw.rng.uniform(20, 200)
    for _ in range(draw.rng.randrange(15, 50)):
        at += draw.minutes(every * 0.8, every * 1.2)
        if at.hour < 6:
            at += timedelta(hours=6)
        draw.comes(
            draw.person(), at, referrer, purchase=draw.purchase() or draw.least(), pattern="clockwork", abusive=True
        )


def buy_and_return(draw: Draw) -> None:
    """Something is bought, mostly the least that counts, and given back once both sides are rewarded."""
    referrer, at = draw.member().person.member_id, draw.moment()
    most = 150 if draw.rng.random() < 0.75 else 8_000
    for _ in range(draw.rng.randrange(6, 14)):
        at += draw.days(0, 2.5)
        bought = Purchase(draw.days(0, 2), MINIMUM + draw.rng.randrange(0, most), draw.days(14.2, 19))
        draw.comes(draw.person(), at, referrer, purchase=bought, pattern="buy and return", abusive=True)


def comeback(draw: Draw) -> None:
    """Customers have themselves erased, to be new ones: by the same mailbox, phone or card."""
    referrer = draw.member().person.member_id
    for _ in range(draw.rng.randrange(2, 5)):
        gone = draw.member(payment=draw.token()).person
        at = draw.moment()
        draw.events.append(Erasing(gone, at - draw.days(1, 30)))
        kind = draw.rng.choice(["email", "phone", "payment"])
        draw.comes(
            draw.person(**{kind: getattr(gone, kind)}),
            at,
            referrer,
            purchase=draw.purchase() or draw.least(),
            pattern="comeback",
            abusive=True,
        )


def bought_followers(draw: Draw) -> None:
    """An influencer with real followers buys more of them: made by a farm of phones that serves many, for the least purchase."""
    referrer = draw.member().person.member_id
    followers(draw, referrer, posts=2, each=40)
    phones, networks = [draw.token() for _ in range(9)], [draw.ip().rpartition(".")[0] for _ in range(4)]
    at = draw.moment()
    for gap in draw.gaps(draw.rng.randrange(30, 55), timedelta(hours=1.5)):
        at += gap
        person = draw.person(
            device=draw.rng.choice(phones), ip=f"{draw.rng.choice(networks)}.{draw.rng.randrange(1, 255)}"
        )
        draw.comes(
            person, at, referrer, purchase=draw.purchase() or draw.least(), pattern="bought followers", abusive=True
        )


def emulators(draw: Draw) -> None:
    """New devices by software, all behind one network; the least purchase, at once."""
    referrer, at = draw.member().person.member_id, draw.moment()
    network = draw.ip().rpartition(".")[0]
    for gap in draw.gaps(draw.rng.randrange(12, 35), timedelta(hours=3)):
        at += gap
        person = draw.person(ip=f"{network}.{draw.rng.randrange(1, 255)}", payment=None)
        draw.comes(person, at, referrer, purchase=draw.least(), pattern="emulators", abusive=True)


def numbered(draw: Draw) -> None:
    """Mailboxes with numbers, one after the other."""
    referrer, at = draw.member().person.member_id, draw.moment()
    local, _, domain = draw.email().partition("@")
    for number, gap in enumerate(draw.gaps(draw.rng.randrange(5, 16), timedelta(hours=9))):
        at += gap
        person = draw.person(email=f"{local}{number + 11}@{domain}")
        draw.comes(person, at, referrer, purchase=draw.purchase() or draw.least(), pattern="numbered", abusive=True)


def patient(draw: Draw) -> None:
    """Knows what is looked at: nothing is shared, no distance is even. Only that it pays just as little as it can, at once."""
    referrer, at = draw.member().person.member_id, draw.moment(20)
    for gap in draw.gaps(draw.rng.randrange(8, 20), timedelta(days=1.5)):
        at += gap
        draw.comes(draw.person(), at, referrer, purchase=draw.least(), pattern="patient", abusive=True)


def strangers(draw: Draw) -> None:
    """Real people who are paid for it, and buy as people buy: nothing tells them from friends."""
    referrer, at = draw.member().person.member_id, draw.moment()
    for gap in draw.gaps(draw.rng.randrange(4, 9), timedelta(days=2)):
        at += gap
        draw.comes(
            draw.person(),
            at,
            referrer,
            purchase=draw.purchase() or draw.least(),
            pattern="paid strangers",
            abusive=True,
        )


ABUSIVE: Final[tuple[tuple[Callable[[Draw], None], int], ...]] = (
    (own_mailbox, 12),
    (second_phone, 5),
    (one_card, 5),
    (throw_away_mail, 4),
    (circle, 8),
    (puppets, 5),
    (clockwork, 2),
    (buy_and_return, 4),
    (comeback, 10),
    (bought_followers, 1),
    (emulators, 2),
    (numbered, 5),
    (patient, 4),
    (strangers, 1),
)
"""How many groups of each a world has."""
