"""How long to wait before trying again."""

import random
from typing import Final

# The operating system's randomness: copies of a function restored from one snapshot share the state of any other.
_RANDOM: Final = random.SystemRandom()


def jitter(attempt: int, *, base: float, cap: float) -> float:
    """Seconds to wait after attempt number ``attempt`` (from 0): anything from none to ``min(cap, base * 2**attempt)``.

    Full jitter, as described in the AWS Architecture Blog, "Exponential Backoff and Jitter" (2015).
    """
    return _RANDOM.uniform(0, min(cap, base * 2**attempt))
