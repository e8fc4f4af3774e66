"""Ask the templates of a stage about their resources."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Templates:
    """The templates of one stage by stack (``stateful``, ``api``, ...), and the stacks' artifacts."""

    stacks: dict[str, Json]
    artifacts: dict[str, Json]

    def each(self, kind: str, stack: str | None = None) -> Iterator[tuple[str, Json]]:
        """Logical id and whole resource of every resource of a type."""
        for name, template in self.stacks.items():
            if stack in {None, name}:
                for logical_id, resource in template["Resources"].items():
                    if resource["Type"] == kind:
                        yield logical_id, resource

    def properties(self, kind: str, stack: str | None = None) -> list[Json]:
        """Properties of every resource of a type."""
        return [resource["Properties"] for _, resource in self.each(kind, stack)]

    def one(self, kind: str, stack: str | None = None) -> Json:
        """The only resource of a type."""
        (found,) = [resource for _, resource in self.each(kind, stack)]
        return found

    def outputs(self) -> set[str]:
        """Names of the outputs of all stacks that are not exports between them."""
        names = {name for template in self.stacks.values() for name in template.get("Outputs", {})}
        return {name for name in names if not name.startswith("Exports")}

    def statements(self, function: str) -> list[Json]:
        """What a function's role allows."""
        return [each for each in self._policy(function) if each["Effect"] == "Allow"]

    def refusals(self, function: str) -> list[Json]:
        """What a function's role refuses, whatever else allows it."""
        return [each for each in self._policy(function) if each["Effect"] == "Deny"]

    def _policy(self, function: str) -> list[Json]:
        for _, policy in self.each("AWS::IAM::Policy"):
            if policy["Properties"]["PolicyName"].startswith(f"{function.replace('_', '')}Role"):
                found: list[Json] = policy["Properties"]["PolicyDocument"]["Statement"]
                return found
        raise KeyError(function)


@cache
def read_templates(assembly: Path, stage: str) -> Templates:
    """The templates of ``stage`` in ``assembly``."""
    folder = assembly / f"assembly-{stage}"
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    found = {
        artifact["properties"]["stackName"].removeprefix(f"loyalty-{stage}-"): artifact
        for artifact in artifacts.values()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    stacks = {
        name: json.loads((folder / artifact["properties"]["templateFile"]).read_text())
        for name, artifact in found.items()
    }
    return Templates(stacks, found)


def many(value: Any) -> list[Any]:
    """A policy's element as a list, whether it was written as one or not."""
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """A value with intrinsic functions as text, to look for words in it."""
    return json.dumps(value)
