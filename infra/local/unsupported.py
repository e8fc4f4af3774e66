"""The one list of what the local target cannot hold.

Everything else of the templates is deployed as it stands, but for references that ministack resolves to
another value than AWS does: those are written in the form that gives the same value on both. What is
left out is printed at each deploy.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Unsupported:
    """A kind of resource that is left out of a template before it is deployed locally.

    Args:
        resource_type: the CloudFormation type.
        reason: why, in words for a person.
        applies: decides from the resource's properties; by default every resource of the type is meant.
    """

    resource_type: str
    reason: str
    applies: Callable[[Mapping[str, Any]], bool] = lambda _properties: True


@dataclass(frozen=True)
class Omission:
    """A resource that was left out, and why."""

    logical_id: str
    resource_type: str
    reason: str


UNSUPPORTED: Final = (
    Unsupported("AWS::CloudWatch::CompositeAlarm", "ministack has no composite alarms"),
    Unsupported("AWS::Events::Archive", "ministack has no event archives"),
    Unsupported("AWS::WAFv2::WebACLAssociation", "ministack has no web application firewall"),
    Unsupported(
        "AWS::CloudWatch::Alarm",
        "ministack has no metric math in alarms",
        lambda properties: "Metrics" in properties,
    ),
)


SAME_AS_REF: Final = {"AWS::SecretsManager::Secret": "Id"}
"""Types whose ``Ref`` ministack resolves wrongly, and the attribute that has ``Ref``'s value on AWS.

A secret's ``Ref`` is its ARN; ministack gives its name, which no IAM policy would match.
"""


class DanglingReference(RuntimeError):
    """Something that stays in the template refers to a resource that the list leaves out."""


def localized(template: Mapping[str, Any]) -> tuple[dict[str, Any], list[Omission]]:
    """A copy of the template that the local target can hold, and what was left out of it.

    Ordering (``DependsOn``) and outputs that name an omitted resource go with it.

    Raises:
        DanglingReference: a resource that stays refers to an omitted one.
    """
    kept = copy.deepcopy(dict(template))
    resources = kept.get("Resources", {})
    omissions = [found for logical_id, resource in resources.items() if (found := _omission(logical_id, resource))]
    gone = {omission.logical_id for omission in omissions}
    for logical_id in gone:
        del resources[logical_id]
    for resource in resources.values():
        _drop_order(resource, gone)
    outputs = kept.get("Outputs", {})
    for name in [name for name, output in outputs.items() if gone & set(_references(output))]:
        del outputs[name]
    for logical_id, resource in resources.items():
        dangling = gone & set(_references(resource))
        if dangling:
            raise DanglingReference(f"{logical_id} refers to {', '.join(sorted(dangling))}, which is left out locally")
    renamed = {
        logical_id: SAME_AS_REF[resource["Type"]]
        for logical_id, resource in resources.items()
        if resource["Type"] in SAME_AS_REF
    }
    return _with_attributes(kept, renamed), omissions


def _with_attributes(node: Any, attributes: Mapping[str, str]) -> Any:
    """``node`` with each ``Ref`` to a key of ``attributes`` written as ``Fn::GetAtt`` of that attribute."""
    if isinstance(node, list):
        return [_with_attributes(each, attributes) for each in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1 and node.get("Ref") in attributes:
        return {"Fn::GetAtt": [node["Ref"], attributes[node["Ref"]]]}
    return {key: _with_attributes(value, attributes) for key, value in node.items()}


def _omission(logical_id: str, resource: Mapping[str, Any]) -> Omission | None:
    for entry in UNSUPPORTED:
        if resource["Type"] == entry.resource_type and entry.applies(resource.get("Properties", {})):
            return Omission(logical_id, entry.resource_type, entry.reason)
    return None


def _drop_order(resource: dict[str, Any], gone: set[str]) -> None:
    after = resource.get("DependsOn")
    if after is None:
        return
    remaining = [name for name in ([after] if isinstance(after, str) else after) if name not in gone]
    if remaining:
        resource["DependsOn"] = remaining
    else:
        del resource["DependsOn"]


def _references(node: Any) -> Iterator[str]:
    """Logical ids that ``Ref``, ``Fn::GetAtt`` and ``Fn::Sub`` inside ``node`` name."""
    if isinstance(node, list):
        for each in node:
            yield from _references(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref" and isinstance(value, str):
                yield value
            elif key == "Fn::GetAtt":
                yield value.partition(".")[0] if isinstance(value, str) else value[0]
            elif key == "Fn::Sub":
                text = json.dumps(value)
                yield from (part.partition("}")[0].partition(".")[0] for part in text.split("${")[1:])
            yield from _references(value)
