"""The bill of materials of what ships: the packages of the functions' dependency layer, as CycloneDX and as a page.

Made of the layer's lock, which has versions and digests, and of what the same versions, installed here, say of
themselves. The same lock gives the same text: no time, no random number.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from license_expression import ExpressionError, get_spdx_licensing
from packageurl import PackageURL
from packaging.requirements import Requirement

from infra import ROOT
from infra.bundling.dependencies import LOCK
from infra.bundling.targets import CLOUD

ALLOWED: Final = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense"}
)
"""Licences under which a package may ship: they ask for their text to come along, which wheels bring, and no more.

MPL-2.0 asks for changes to its files to be published; we change none.
"""

CONCLUDED: Final[Mapping[str, str]] = {
    "aws-lambda-powertools": "MIT-0",  # metadata says MIT; the licence file asks for no attribution either
    "jinja2": "BSD-3-Clause",  # metadata says "BSD License"; the licence file has the three clauses
    "segno": "BSD-3-Clause",  # metadata says "BSD License"; the licence file has the three clauses
    "python-dateutil": "BSD-3-Clause",  # "Dual License": all of it is under this one, what came after 2017 under Apache too
}
"""Licences of packages whose metadata names none by its SPDX identifier, or another than their licence files, which were read."""

_RUNS_ON: Final = {
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "platform_machine": "aarch64",
    "platform_system": "Linux",
    "sys_platform": "linux",
    "os_name": "posix",
    "python_version": CLOUD.python,
    "python_full_version": f"{CLOUD.python}.0",
}
_SPDX: Final = get_spdx_licensing()

_PAGE: Final = """\
# Licences of what ships

Third-party packages in the functions' dependency layer, as locked: {count}. The platform itself is under {own}.
Generated from the same data as [sbom.cdx.json](sbom.cdx.json); see [security/supply-chain.md](security/supply-chain.md)
for what may ship. *Concluded* licences were read in the package's own file, since its metadata names none by its SPDX
identifier, or another one. The layer holds each package's licence text beside it.

| package | version | licence | said by |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Package:
    """A package that ships: version and digests by the lock, licence by its metadata or by :data:`CONCLUDED`."""

    name: str
    version: str
    sha256: tuple[str, ...]
    licence: str
    declared: bool

    @property
    def purl(self) -> PackageURL:
        """Its package URL."""
        return PackageURL("pypi", name=self.name, version=self.version)


def shipped(lock: Path = LOCK) -> list[Package]:
    """The packages of ``lock`` that are installed where our functions run, by name.

    Raises:
        LookupError: a package is not installed here in the version of the lock, or says no licence that is known.
    """
    return sorted((_package(line, hashes) for line, hashes in locked(lock.read_text())), key=lambda one: one.name)


def locked(text: str) -> Iterator[tuple[Requirement, tuple[str, ...]]]:
    """Each requirement of a hashed lock that applies where our functions run, and the SHA-256 digests it accepts."""
    for entry in re.sub(r"\\\n\s*", " ", text).splitlines():
        if not entry.strip() or entry.startswith("#"):
            continue
        requirement = Requirement(entry.split("--hash=")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate(_RUNS_ON):
            yield requirement, tuple(sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)))


def not_allowed(expression: str) -> set[str]:
    """The licences that keep ``expression`` from being fulfilled by :data:`ALLOWED` ones; none where it can be.

    Of alternatives, the one with the fewest such is meant.
    """
    return _missing(_SPDX.parse(expression, validate=True))


def bill(packages: list[Package]) -> str:
    """``packages`` as a CycloneDX 1.6 document in JSON."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ours = Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref=project["name"],
        licenses=[LicenseExpression(project["license"])],
    )
    bom = Bom(components=[_component(one) for one in packages])
    bom.metadata.component = ours
    components = {str(one.name): one for one in bom.components}
    direct = [Requirement(one) for one in project["dependencies"]]
    bom.register_dependency(ours, [components[_normal(one.name)] for one in direct])
    for name, needed in needs(direct).items():
        bom.register_dependency(components[name], [components[one] for one in sorted(needed)])
    document: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    # The library stamps both; the file is to change with the lock alone.
    del document["serialNumber"], document["metadata"]["timestamp"]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def needs(direct: list[Requirement]) -> dict[str, set[str]]:
    """What each package needs where our functions run, by name, of all that ``direct`` brings along.

    An extra's requirements count where somebody asks for that extra.

    Raises:
        importlib.metadata.PackageNotFoundError: one of them is not installed here.
    """
    graph: dict[str, set[str]] = {}
    seen: set[tuple[str, str]] = set()
    waiting = list(direct)
    while waiting:
        one = waiting.pop()
        name = _normal(one.name)
        graph.setdefault(name, set())
        for extra in {"", *one.extras} - {known for of, known in seen if of == name}:
            seen.add((name, extra))
            asked = [Requirement(text) for text in metadata.requires(name) or []]
            needed = [
                each for each in asked if each.marker is None or each.marker.evaluate(_RUNS_ON | {"extra": extra})
            ]
            graph[name] |= {_normal(each.name) for each in needed}
            waiting += needed
    return graph


def page(packages: list[Package]) -> str:
    """``packages`` and their licences as Markdown."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    rows = [
        f"| {one.name} | {one.version} | {one.licence} | {'its metadata' if one.declared else 'us: concluded'} |\n"
        for one in packages
    ]
    return _PAGE.format(count=len(packages), own=project["license"]) + "".join(rows)


def _package(requirement: Requirement, hashes: tuple[str, ...]) -> Package:
    name, version = requirement.name, str(requirement.specifier).removeprefix("==")
    try:
        said = metadata.metadata(name)
    except metadata.PackageNotFoundError as error:
        raise LookupError(f"{name} is locked and not installed: run make setup") from error
    if said["Version"] != version:
        raise LookupError(f"{name} {said['Version']} is installed, {version} is locked: run make setup")
    licence = CONCLUDED.get(name) or _declared(said)
    if licence is None:
        raise LookupError(
            f"{name} {version} names no licence by its SPDX identifier: read it, add it to infra.sbom.CONCLUDED"
        )
    return Package(name, version, hashes, licence, declared=name not in CONCLUDED)


def _declared(said: metadata.PackageMetadata) -> str | None:
    for field in ("License-Expression", "License"):
        for text in said.get_all(field) or ():
            try:
                parsed = _SPDX.parse(text, validate=True)
            except ExpressionError:
                continue
            if parsed is not None:
                return str(text)
    return None


def _component(package: Package) -> Component:
    how = LicenseAcknowledgement.DECLARED if package.declared else LicenseAcknowledgement.CONCLUDED
    archives = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(package.purl.to_string()),
        comment="The archives of this version that the lock accepts: one for each platform, and the sources",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in package.sha256],
    )
    return Component(
        name=package.name,
        version=package.version,
        bom_ref=package.purl.to_string(),
        purl=package.purl,
        licenses=[LicenseExpression(package.licence, acknowledgement=how)],
        external_references=[archives],
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _missing(expression: Any) -> set[str]:
    if isinstance(expression, _SPDX.OR):
        return min((_missing(one) for one in expression.args), key=len)
    if isinstance(expression, _SPDX.AND):
        return set().union(*(_missing(one) for one in expression.args))
    return {str(expression)} - ALLOWED
