"""The environment, read once at cold start into a frozen model; nothing else looks at ``os.environ``."""

import os
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError


class Settings(BaseModel):
    """What every function is told. A function that needs more adds fields: ``pii_key`` is read from ``LOYALTY_PII_KEY``."""

    model_config = ConfigDict(frozen=True)

    stage: str
    table: str

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Reads ``LOYALTY_<FIELD>`` for each field.

        Raises:
            RuntimeError: a variable is missing; the message names each one.
        """
        source = os.environ if environment is None else environment
        names = {field: f"LOYALTY_{field.upper()}" for field in cls.model_fields}
        try:
            return cls.model_validate({field: source[name] for field, name in names.items() if name in source})
        except ValidationError as error:
            missing = ", ".join(names[str(problem["loc"][0])] for problem in error.errors())
            raise RuntimeError(f"environment variables missing or wrong: {missing}") from error
