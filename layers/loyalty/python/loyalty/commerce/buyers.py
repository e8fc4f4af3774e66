"""The keyed hashes under which a buyer is looked for. Pure but for the key."""

from contextlib import suppress

from loyalty.commerce.model import CustomerRef
from loyalty.core.pii import Lookups, normal_email


class Buyers:
    """Hashes what a commerce platform knows of a buyer."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    def digests(self, program: str, customer: CustomerRef) -> tuple[str, ...]:
        """By what the buyer may be known, the first that a member has wins: the platform's customer id, the e-mail.

        An e-mail that is no address is as good as none.
        """
        found: list[str] = []
        if customer.external_id:
            found.append(self._lookups.external(program, customer.platform, customer.external_id))
        if customer.email:
            with suppress(ValueError):
                found.append(self._lookups.email(program, normal_email(customer.email)))
        return tuple(found)
