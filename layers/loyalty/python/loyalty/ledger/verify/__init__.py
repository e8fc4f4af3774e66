"""The proof: recomputes members' books from the entries alone, and reports every difference.

It shares no arithmetic with the code that posts: it reads what the store reads, adds up what the entries say, and
compares. What it finds has a stable code; ``docs/runbooks/ledger-findings.md`` says what each means.

::

    table                       one pass over all partitions, then what members share
    ├── member                  one member
    │   ├── replay              what the entries add up to, before and after each
    │   ├── rules, sums, lots   what each kind may do; balances and lots that it leaves
    │   ├── dues, index         what falls due by itself, and how a sweep finds it
    │   └── book                the book beside it
    ├── family                  members who are one person by a merge; most are by themselves
    │   ├── reversals, holds    what follows an earlier entry
    │   └── records, again      what is kept beside the entries; nothing posted twice
    └── pairs                   transfers, merges and households: both sides agree
"""

from loyalty.ledger.verify.member import audit_member
from loyalty.ledger.verify.report import Finding, Report, ScopesOf, scopes_unknown
from loyalty.ledger.verify.table import audit_table

__all__ = ["Finding", "Report", "ScopesOf", "audit_member", "audit_table", "scopes_unknown"]
