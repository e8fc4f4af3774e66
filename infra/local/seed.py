"""What a fresh platform needs before a partner can use it: programs, a client bound to them, a supplier's key.

Programs and bindings are made with the operator's own command line, as an operator would make them.
"""

import json
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from infra.local.ministack import REPOSITORY
from infra.local.supplier.server import SANDBOX_KEY
from infra.local.supplier.webhooks import SANDBOX_WEBHOOK_KEY

if TYPE_CHECKING:
    import boto3

PROGRAMS: Final = REPOSITORY / "events" / "programs"
LOYALTY: Final = Path(sys.executable).with_name("loyalty")
TIMEOUT_SECONDS: Final = 60.0
PERSON: Final = "finance"
PASSWORD_FILE: Final = "console-password"  # noqa: S105 - the name of a file


class SeedFailed(RuntimeError):
    """A command of the operator's command line failed; the message holds what it printed."""


def store_supplier_key(session: "boto3.Session", endpoint: str, secret_arn: str) -> None:
    """Give the platform the key of the sandbox supplier, and what it signs its callbacks with."""
    secrets: Any = session.client("secretsmanager", endpoint_url=endpoint)
    keys = {"api_key": SANDBOX_KEY, "webhook_key": SANDBOX_WEBHOOK_KEY}
    secrets.put_secret_value(SecretId=secret_arn, SecretString=json.dumps(keys))


def program_documents(folder: Path = PROGRAMS) -> dict[str, Path]:
    """The demo programs: id to document."""
    return {json.loads(path.read_text())["id"]: path for path in sorted(folder.glob("*.json"))}


def publish_programs(environment: Mapping[str, str], documents: Mapping[str, Path]) -> None:
    """Publish each document, unless it is the program's current version already.

    Raises:
        SeedFailed: a document was refused.
    """
    for path in documents.values():
        run_loyalty(["program", "publish", str(path)], environment)


def bind_client(environment: Mapping[str, str], client_id: str, programs: Sequence[str]) -> None:
    """Let the client speak for these programs and no others.

    Raises:
        SeedFailed: it was refused.
    """
    options = [word for program in programs for word in ("--program", program)]
    run_loyalty(["client", "bind", client_id, *options], environment)


def create_client(
    environment: Mapping[str, str], name: str, scopes: Sequence[str], programs: Sequence[str], plan: str
) -> tuple[str, str]:
    """Make a client with these scopes, bound to these programs. Returns its id and secret.

    Raises:
        SeedFailed: it was refused.
    """
    options = [word for program in programs for word in ("--program", program)]
    options += [word for scope in scopes for word in ("--scope", scope)]
    made = json.loads(
        run_loyalty(["client", "create", name, *options, "--plan", plan, "--unpublished", "--json"], environment)
    )
    return made["client_id"], made["client_secret"]


@dataclass(frozen=True)
class Person:
    """Who signs in to the local console."""

    id: str
    password: str


def add_person(environment: Mapping[str, str], workdir: Path, programs: Sequence[str]) -> Person:
    """A person who may see and decide everything. The password is made once, and kept beside the state.

    Raises:
        SeedFailed: it was refused.
    """
    kept = workdir / PASSWORD_FILE
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(f"Aa1!{secrets.token_urlsafe(18)}")
    password = kept.read_text().strip()
    options = [word for program in programs for word in ("--program", program)]
    command = [
        "person",
        "add",
        PERSON,
        f"{PERSON}@example.com",
        *options,
        "--approver",
        "--suppliers",
        "--password-stdin",
    ]
    run_loyalty(command, environment, text=password)
    return Person(PERSON, password)


def run_loyalty(arguments: Sequence[str], environment: Mapping[str, str], text: str | None = None) -> str:
    """Run the operator's command line against the local cloud. Returns what it printed; ``text`` is its input.

    Raises:
        SeedFailed: it ended with another exit code than 0.
    """
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        [str(LOYALTY), *arguments],
        env=dict(environment),
        input=text,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise SeedFailed(f"loyalty {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
