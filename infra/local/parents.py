"""End a server process together with the one that started it, also when that one is killed."""

import os
import signal
import threading
import time
from typing import Final

POLL_SECONDS: Final = 1.0


def end_with(parent: int) -> None:
    """Send this process SIGTERM as soon as ``parent`` is no longer its parent."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
