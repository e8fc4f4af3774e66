"""The operator's command line: ``loyalty``. Runs on an operator's machine; it is not shipped to Lambda.

Every command exits with 0 only if it did what it says, 1 where it found or could not do something, 2 where it was
called wrongly. ``--json`` prints one JSON document for scripts; progress goes to standard error.
"""

from loyalty.cli.app import main

__all__ = ["main"]
