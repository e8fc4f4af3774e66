"""The local cloud as a whole: started, deployed into, seeded, and stopped.

Example:
    A test that needs the deployed platform, on free ports and with no state left behind::

        with LocalCloud(workdir=tmp_path) as cloud:
            token = cloud.token("wallet.read")
            requests.get(f"{cloud.api_url}/health", headers={"Authorization": f"Bearer {token}"})
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import boto3
from botocore.config import Config

from infra.bundling.build import LIBRARY
from infra.local import seed
from infra.local.assembly import Stack, read_stage
from infra.local.deploy import Deployed, deploy
from infra.local.discovery import Platform, discover
from infra.local.lost_executions import lost_executions
from infra.local.ministack import ACCESS_KEY, ACCOUNT, REPOSITORY, SECRET_KEY, Ministack
from infra.local.processes import free_port
from infra.local.suppliers import SupplierProcess
from infra.local.tokens import fetch_token

STAGE: Final = "local"
ASSEMBLY: Final = "cdk.out"
"""Name of the assembly's folder inside the working folder: apart from what ``make synth`` writes for every stage."""
SUPPLIER: Final = "tremendous"
"""The one that the sandbox speaks as."""
SUPPLIER_PARAMETER: Final = "TremendousUrl"
SUPPLIER_SECRET_OUTPUT: Final = "TremendousSecretArn"  # noqa: S105 -- the name of an output
ENDPOINT_PARAMETER: Final = "LocalEndpoint"
SCOPE_PREFIX: Final = "loyalty/"

CLIENT_CONFIG: Final = Config(retries={"mode": "standard", "total_max_attempts": 3}, max_pool_connections=64)


def _silent(_line: str) -> None:
    """Report nothing."""


def synthesize(outdir: Path) -> None:
    """Write the assembly of the local stage to ``outdir``.

    Raises:
        CalledProcessError: the app failed; what it said is on standard error.
    """
    command = [sys.executable, "-m", "infra.app", "--stage", STAGE, "--out", str(outdir)]
    subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed words, no shell


class LocalCloud:
    """ministack, the sandbox supplier, and the platform deployed into them.

    Args:
        workdir: holds state, logs and pid files.
        port: of ministack; 0 for any free one.
        supplier_port: of the sandbox supplier; 0 for any free one.
        assembly: the folder that the templates were synthesized to; by default ``cdk.out`` in ``workdir``.
        tied: its processes end with this one (tests); otherwise they outlive the shell.
        persistent: state survives ``stop``.
        report: gets a line of progress at a time.
    """

    def __init__(
        self,
        workdir: Path,
        *,
        port: int = 0,
        supplier_port: int = 0,
        assembly: Path | None = None,
        tied: bool = True,
        persistent: bool = False,
        report: Callable[[str], None] = _silent,
    ) -> None:
        self.workdir = workdir
        self._report = report
        self.stacks: Sequence[Stack] = read_stage(assembly or workdir / ASSEMBLY, STAGE)
        self.region = self.stacks[0].region
        self._ministack = Ministack(workdir, port or free_port(), self.region, persistent, tied=tied)
        self.person: seed.Person | None = None
        """Who can sign in to the console, once the platform is seeded."""
        self.lost: dict[str, list[str]] = {}
        """Executions that ended with the last stop, by state machine, once it is started again."""
        self._supplier = SupplierProcess(workdir, supplier_port or free_port(), tied=tied)

    def __enter__(self) -> Self:
        try:
            self.start()
            self.deploy()
            self.seed()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start both processes, unless they run already.

        Raises:
            ProcessFailed: one did not become ready.
        """
        self._supplier.start()
        self._report(f"sandbox supplier at {self.supplier_url}")
        before = datetime.now(UTC).replace(microsecond=0)
        self._ministack.start()
        self._report(f"ministack at {self.endpoint}")
        self.lost = lost_executions(self.client("stepfunctions"), before)

    def stop(self) -> bool:
        """Stop both processes. True if either was running."""
        stopped = [self._ministack.stop(), self._supplier.stop()]
        return any(stopped)

    def deploy(self) -> list[Deployed]:
        """Create or update the stacks.

        Raises:
            DeployFailed: CloudFormation refused.
        """
        self.__dict__.pop("platform", None)
        parameters = {SUPPLIER_PARAMETER: self.supplier_url, ENDPOINT_PARAMETER: self.endpoint}
        return deploy(self.session, self.endpoint, self.stacks, parameters, self._report)

    def seed(self) -> None:
        """Publish the demo programs, bind the partner's client to them, make platform and supplier known to each other.

        Raises:
            SeedFailed: the platform refused a document.
            ProcessFailed: the supplier refused the address.
        """
        documents = seed.program_documents()
        seed.publish_programs(self.environment, documents)
        self.bind(self.client_id, list(documents))
        seed.store_supplier_key(self.session, self.endpoint, self.platform.outputs[SUPPLIER_SECRET_OUTPUT])
        self._supplier.call_back(f"{self.api_url}/v1/suppliers/{SUPPLIER}/callbacks")
        self._report(f"programs {', '.join(documents)}; client {self.client_id} bound to them")
        self.person = seed.add_person(self.environment, self.workdir, list(documents))
        self._report(f"console {self.platform.console_url}; sign in as {self.person.id}")

    @property
    def endpoint(self) -> str:
        """URL of every AWS service of the local cloud."""
        return self._ministack.endpoint

    @property
    def supplier_url(self) -> str:
        """URL of the sandbox supplier; its controls are under ``/_sandbox/``."""
        return self._supplier.url

    @cached_property
    def session(self) -> boto3.Session:
        """Credentials of the local cloud's root user, and its region."""
        return boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=self.region)

    @cached_property
    def platform(self) -> Platform:
        """Where the deployed platform is reached.

        Raises:
            NotDeployed: it is not deployed.
        """
        return discover(self.session, self.endpoint, [stack.name for stack in self.stacks])

    @property
    def api_url(self) -> str:
        """Base URL of the API, without a trailing slash: append ``/v1/programs/...``."""
        return self.platform.api_url

    @property
    def token_url(self) -> str:
        """The OAuth2 token endpoint."""
        return self.platform.token_url

    @property
    def client_id(self) -> str:
        """The partner's client."""
        return self.platform.client_id

    @property
    def client_secret(self) -> str:
        """The secret of the partner's client."""
        return self.platform.client_secret

    @property
    def table(self) -> str:
        """Name of the table."""
        return self.platform.table

    @property
    def bus(self) -> str:
        """Name of the event bus."""
        return self.platform.bus

    @property
    def program(self) -> str:
        """Id of the first demo program."""
        return next(iter(seed.program_documents()))

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of a command that works against the local cloud, the operator's included.

        The library is this checkout's, wherever the command was installed from: it has to know the documents that it publishes.
        """
        inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LC_ALL") if key in os.environ}
        return inherited | self.variables | {"PYTHONPATH": str(LIBRARY)}

    @property
    def variables(self) -> dict[str, str]:
        """What a shell needs to speak to the local cloud."""
        outputs = self.platform.outputs
        return {
            "LOYALTY_API": self.api_url,
            "LOYALTY_TOKEN_URL": self.token_url,
            "LOYALTY_CLIENT_ID": self.client_id,
            "LOYALTY_CLIENT_SECRET": self.client_secret,
            "LOYALTY_PROGRAM": self.program,
            "LOYALTY_BUS": self.bus,
            "LOYALTY_STAGE": STAGE,
            "LOYALTY_USER_POOL": self.platform.user_pool,
            "LOYALTY_PEOPLE_POOL": self.platform.people_pool,
            "LOYALTY_CONSOLE_URL": self.platform.console_url,
            "LOYALTY_TABLE": self.table,
            "LOYALTY_REPORTS": outputs.get("ReportsBucketName", ""),
            "LOYALTY_AUDIT_TRAIL": outputs.get("AuditTrailBucketName", ""),
            "LOYALTY_PICTURES": outputs.get("PicturesBucketName", ""),
            "RECONCILIATION_ARN": outputs.get("ReconciliationArn", ""),
            "STATE_MACHINE_ARN": outputs.get("StateMachineArn", ""),
            "LOYALTY_SUPPLIER_URL": self.supplier_url,
            "LOYALTY_PII_KEY": outputs.get("PiiKeyArn", ""),
            "LOYALTY_VAULT_KEY": outputs.get("VaultKeyArn", ""),
            "LOYALTY_LOOKUP_KEY": outputs.get("LookupKeyArn", ""),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def client(self, service: str) -> Any:
        """A boto3 client of the local cloud, as its root user."""
        return self.session.client(service, endpoint_url=self.endpoint, config=CLIENT_CONFIG)  # type: ignore[call-overload]

    def token(self, *scopes: str, client_id: str | None = None, client_secret: str | None = None) -> str:
        """An access token of the partner's client, or of the one given.

        Args:
            *scopes: short names, such as ``wallet.read``; none means all that the client has.
            client_id: another client.
            client_secret: its secret.

        Raises:
            TokenRefused: the client may not have a scope, or its secret is wrong.
        """
        wanted = [SCOPE_PREFIX + scope for scope in scopes]
        return fetch_token(self.token_url, client_id or self.client_id, client_secret or self.client_secret, wanted)

    def new_client(
        self, name: str, scopes: Sequence[str], programs: Sequence[str], plan: str = "standard"
    ) -> tuple[str, str]:
        """Make another partner's client. Returns its id and secret.

        Args:
            name: for people.
            scopes: short names.
            programs: that it is bound to, one at least, published or not.
            plan: the usage plan by which it is throttled.
        """
        return seed.create_client(self.environment, name, scopes, programs, plan)

    def bind(self, client_id: str, programs: Sequence[str]) -> None:
        """Let a client speak for these programs and no others."""
        seed.bind_client(self.environment, client_id, programs)


__all__ = ["ACCOUNT", "STAGE", "LocalCloud"]
