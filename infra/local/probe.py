"""Ask a local server whether it is there."""

import json
import urllib.error
import urllib.request
from typing import Any, Final

TIMEOUT_SECONDS: Final = 2.0


def answer_of(url: str) -> Any:
    """The JSON that a local URL answers with, or None while nothing that speaks JSON answers there."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 -- always a loopback URL
            return json.load(answer)
    except (OSError, ValueError, urllib.error.URLError):
        return None
