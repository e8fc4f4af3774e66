"""What a program asks a second person for."""

from typing import Annotated

from pydantic import Field

from loyalty.programs.fields import DocumentPart

Switch = Annotated[bool, Field(strict=True)]


class FourEyes(DocumentPart):
    """A switch for each kind of act that two people do: one asks or prepares, another decides.

    ``adjustments``: above ``limits.adjustment_points``; off: they are posted at once, however large. ``approvals``: of gift
    cards and lists, never by who asked for them; off: whoever may approve does, also their own. ``publishing``: who saved
    the draft does not publish it. ``erasure``: of a member. ``releases``: of a member held for abuse. ``referrals``: their
    first approval, and the revocation of rewarded ones; appeals take two whatever this says. Of the version that is in
    force: who turns one off, or raises a limit above which it asks for two, needs a second person, whether ``publishing``
    is on or not.
    """

    adjustments: Switch = True
    approvals: Switch = True
    publishing: Switch = False
    erasure: Switch = True
    releases: Switch = True
    referrals: Switch = False
