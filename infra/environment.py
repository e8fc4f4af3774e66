"""The environment of the functions, in one place: which variables there are and where their values come from."""

from collections.abc import Mapping

import loyalty_contract as contract
from infra.functions import FunctionSpec
from infra.settings import StageSettings


def environment(spec: FunctionSpec, settings: StageSettings, values: Mapping[str, str]) -> dict[str, str]:
    """What a function is told: what all are, and what its spec asks for, no more.

    Args:
        spec: the function.
        settings: of the stage.
        values: of the variables that come from resources, by name.

    Raises:
        KeyError: the spec asks for a variable that its stack has no value for.
    """
    known = {
        **values,
        contract.ENV_STAGE: settings.name,
        contract.ENV_DEFAULT_PROGRAM: settings.default_program,
    }
    wanted = (contract.ENV_STAGE, *((contract.ENV_TABLE,) if spec.table or spec.parts else ()), *spec.environment)
    return {name: known[name] for name in wanted} | {
        "POWERTOOLS_SERVICE_NAME": spec.name,
        "POWERTOOLS_METRICS_NAMESPACE": contract.METRICS_NAMESPACE,
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
