"""Unpack each Lambda layer once, not once for every interpreter that starts.

ministack writes and unpacks all layers of a function anew for each of its workers: for the platform's
dependencies 90 MB and a third of a second each time, gigabytes under load. Here a worker gets a stand-in
layer of a few bytes instead, whose one path file puts the folder where the layer was unpacked at the front
of ``sys.path``: the same place, and the same order, as the layer itself would have had.
"""

import functools
import hashlib
import io
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

STAND_IN_PATH: Final = "python/lib/python/site-packages/shared_layer.pth"
"""ministack treats every ``python/lib/*/site-packages`` of a layer as a site folder: path files in it count."""


class SharedLayers:
    """Layers unpacked below ``folder``, each in a folder named after its content.

    Args:
        folder: is made; what it holds from earlier runs is used again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._stand_ins: dict[str, bytes] = {}
        self._starting = threading.local()

    def while_starting(self, spawn: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the start of a worker: only then are layers stood in for, not where their size is asked."""

        @functools.wraps(spawn)
        def wrapper(worker: Any) -> Any:
            self._starting.now = True
            try:
                return spawn(worker)
            finally:
                self._starting.now = False

        return wrapper

    def resolving(self, resolve: Callable[[Any], bytes | None]) -> Callable[[Any], bytes | None]:
        """Wrap the function that gives a layer's zip, so that a starting worker gets a stand-in."""

        @functools.wraps(resolve)
        def wrapper(attachment: Any) -> bytes | None:
            arn = attachment.get("Arn", "") if isinstance(attachment, dict) else attachment
            if not getattr(self._starting, "now", False):
                return resolve(attachment)
            with self._lock:
                if arn in self._stand_ins:
                    return self._stand_ins[arn]
                content = resolve(attachment)
                if content is None:
                    return None
                self._stand_ins[arn] = stand_in(self._unpacked(content))
                return self._stand_ins[arn]

        return wrapper

    def _unpacked(self, content: bytes) -> Path:
        target = self._folder / hashlib.sha256(content).hexdigest()[:24]
        if not target.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(dir=self._folder))
            try:
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    archive.extractall(unfinished)
                unfinished.rename(target)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
        return target


def stand_in(unpacked: Path) -> bytes:
    """A layer's zip that puts the ``python`` folder of an unpacked layer at the front of ``sys.path``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(STAND_IN_PATH, f"import sys; sys.path.insert(0, {str(unpacked / 'python')!r})\n")
    return buffer.getvalue()
