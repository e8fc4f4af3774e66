"""Layers are unpacked once, and found by a worker where the layer itself would have been."""

import io
import site
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra.local.shared_layers import STAND_IN_PATH, SharedLayers


def layer(content: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("python/in_a_layer.py"), content)  # which has no time of day in it
    return buffer.getvalue()


class Layers:
    """Layers by ARN, and how often each was asked for."""

    def __init__(self, **contents: bytes) -> None:
        self.contents = contents
        self.asked: list[str] = []

    def resolve(self, attachment: Any) -> bytes | None:
        arn = attachment["Arn"] if isinstance(attachment, dict) else attachment
        self.asked.append(arn)
        return self.contents.get(arn)


def test_a_starting_worker_gets_a_stand_in_that_leads_to_the_layer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers, shared = Layers(one=layer("VALUE = 1")), SharedLayers(tmp_path)
    resolve = shared.resolving(layers.resolve)
    spawn = shared.while_starting(lambda _worker: [resolve({"Arn": "one"}), resolve("one"), resolve("none")])
    first, second, missing = spawn(object())
    assert (first, missing, layers.asked) == (second, None, ["one", "none"])
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        archive.extractall(tmp_path / "worker")
    monkeypatch.setattr(sys, "path", list(sys.path))
    site.addsitedir(str((tmp_path / "worker" / STAND_IN_PATH).parent))
    assert (Path(sys.path[0]) / "in_a_layer.py").read_text() == "VALUE = 1"


def test_elsewhere_a_layer_is_itself(tmp_path: Path) -> None:
    layers, shared = Layers(one=layer("VALUE = 1")), SharedLayers(tmp_path)
    resolve = shared.resolving(layers.resolve)
    shared.while_starting(lambda _worker: None)(object())
    assert resolve("one") == layers.contents["one"]
    assert list(tmp_path.iterdir()) == []


def test_the_same_content_is_unpacked_once_and_used_by_a_later_run(tmp_path: Path) -> None:
    for _ in range(2):
        shared = SharedLayers(tmp_path)
        resolve = shared.resolving(Layers(one=layer("VALUE = 1"), two=layer("VALUE = 1")).resolve)
        shared.while_starting(lambda _worker, resolve=resolve: [resolve("one"), resolve("two")])(object())
    assert len(list(tmp_path.iterdir())) == 1


def test_a_broken_layer_leaves_nothing_behind(tmp_path: Path) -> None:
    shared = SharedLayers(tmp_path)
    resolve = shared.resolving(Layers(one=b"no zip").resolve)
    with pytest.raises(zipfile.BadZipFile):
        shared.while_starting(lambda _worker: resolve("one"))(object())
    assert list(tmp_path.iterdir()) == []
