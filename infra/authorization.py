"""Who may call which route: the rule, and the table of it in ``docs/authorization.md``. The e2e suite proves it call by call."""

import re
from collections.abc import Iterator
from typing import Final

import loyalty_contract as contract
from infra.routes import CONSOLE, ROUTES, Route

UNAUTHENTICATED: Final = frozenset({401})
LACKS_SCOPE: Final = frozenset({403})
"""What a good token without the route's scope gets: ``insufficient_scope``."""
NOT_THERE: Final = frozenset({404})

BAD_TOKENS: Final = {
    "none": "no `Authorization` header",
    "empty": "`Bearer` and nothing after it",
    "garbage": "text that is no token",
    "tampered": "a good token with another scope written into it",
    "forged": "signed by a key of the caller's own, under the name of ours",
    "algorithm_none": "without signature, algorithm `none`",
    "public_key_as_secret": "signed by HS256, with our public key as the secret",
    "expired": "a good token whose time is over",
    "other_issuer": "a good token of another user pool of the account, with the same scopes",
    "person": "an access token of a person of the console",
    "identity": "an identity token of a person of the console",
}
"""Every kind of bad token that is tried: name and what it is. One authorizer decides for all routes."""
ON_EVERY_ROUTE: Final = frozenset({"none", "tampered"})
"""These are tried on every route, the others on one route of each function."""

_HEAD: Final = """\
# Authorization

Which scope opens which route, and what everybody else gets. Generated from `infra/routes.py`; `tests/e2e/test_authorization.py` proves it on the
deployed API: it calls every route with a token of each scope alone ({scopes} scopes), with a token of all scopes, with no token and a tampered one, on one
route of each function with each bad token of the second table, with a client of another program and with a client of none. Any other answer fails it, a success above all.

A route has exactly one scope: no other opens it, and none opens two kinds of routes that one role should not have both. Staff scopes
are for tools of the business's own people, and a client has them only where they are named.

| who calls | gets |
|---|---|
| a token with the route's scope, of a client that is bound to the program | the answer of the function, never 401 or 403 |
| a token with every other scope | {lacks} |
| no token, or a bad one | 401 `unauthenticated` |
| a client of another program, or of none, with every scope | 404, with the words for a program or a thing that does not exist |
| another program's id in the path (member, redemption, adjustment, household, campaign, run, reward, version) | the 404 of an id that never was |

| route | scope | of staff | other scopes | no or bad token | client of another program |
|---|---|---|---|---|---|
"""


def expected(route: Route, scope: str) -> frozenset[int] | None:
    """What a good token of one scope may get; None: whatever the function answers, but no refusal for want of a right."""
    return None if route.scope in {None, scope} else LACKS_SCOPE


def has_program(route: Route) -> bool:
    """The route is about one program."""
    return "{program}" in route.path


def parameters(route: Route) -> list[str]:
    """Names of the parameters in the route's path."""
    return re.findall(r"\{(\w+)\+?\}", route.path)


def page() -> str:
    """The table as Markdown."""
    lacks = " or ".join(str(status) for status in sorted(LACKS_SCOPE))
    head = _HEAD.format(scopes=len(contract.SCOPES), lacks=f"{lacks} (which of them is the gateway's choice)")
    return head + "\n".join([*_rows(lacks), *_bad_tokens(), *_open()]) + "\n"


def _rows(lacks: str) -> Iterator[str]:
    for route in ROUTES:
        if route.scope is not None:
            staff = "yes" if route.scope in contract.STAFF_SCOPES else ""
            foreign = "404" if has_program(route) else "as its own"
            yield f"| `{route.method} {route.path}` | `{route.scope}` | {staff} | {lacks} | 401 | {foreign} |"


def _bad_tokens() -> Iterator[str]:
    yield from ("", "## Bad tokens", "", "| token | gets, on every route above |", "|---|---|")
    yield from (f"| {meaning} | 401 `unauthenticated` |" for meaning in BAD_TOKENS.values())


def _open() -> Iterator[str]:
    yield from ("", "## Routes without a token", "", "| route | why |", "|---|---|")
    for route in (*ROUTES, *CONSOLE):
        if route.scope is None:
            yield f"| `{route.method} {route.path}` | {route.open_because} |"
