"""What ministack forgets over a clean stop, saved with its own state and put back before it serves again.

ministack saves how far each consumer has read a table's stream, and not the stream. The next one begins at nothing, so that
no consumer is called again before as much has been written as was read before: here the records are saved too. They are what
AWS keeps for 24 hours: what was written and not yet told before the stop is told after it.

Services are saved one after the other, so a position may be beyond the records that were saved before it; and a state that
was saved without records is all positions. Whoever stands beyond the end of a stream is set to its end.
"""
# ruff: noqa: SLF001 -- what is saved here is private to ministack; tests notice when it changes

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ministack.core.arn import parse_arn  # type: ignore[import-untyped]
from ministack.core.responses import AccountRegionScopedDict  # type: ignore[import-untyped]
from ministack.services import dynamodb, lambda_svc  # type: ignore[import-untyped]


def keep(module: ModuleType, name: str, save: Callable[[], Any], restore: Callable[[Any], None]) -> None:
    """Has what ``save`` returns written under ``name`` in the state of a service, and read back by ``restore``.

    Args:
        module: the service's; its ``get_state`` and ``load_persisted_state`` are wrapped.
        name: that no part of the service's own state has.
        save: called at a stop; what it returns must be JSON, or of ministack's own types.
        restore: called at a start with what was saved, before the service's own state is read; not where nothing was.
    """
    get_state, load = module.get_state, module.load_persisted_state

    @functools.wraps(get_state)
    def with_more() -> dict[str, Any]:
        return {**get_state(), name: save()}

    @functools.wraps(load)
    def from_more(data: dict[str, Any]) -> None:
        if name in data:
            restore(data[name])
        load(data)

    module.__dict__.update(get_state=with_more, load_persisted_state=from_more)


def save_streams() -> dict[str, Any]:
    """The records of every stream, and how many went before them."""
    records = AccountRegionScopedDict()
    for (account, region, table), found in list(dynamodb._stream_records.all_items()):
        records.set_scoped(account, region, table, list(found))
    return {"records": records, "trimmed": dynamodb._stream_trimmed}


def restore_streams(kept: dict[str, Any]) -> None:
    """Puts back what :func:`save_streams` returned."""
    dynamodb._stream_records.update(kept["records"])
    dynamodb._stream_trimmed.update(kept["trimmed"])


def within_streams(load: Callable[[], None]) -> Callable[[], None]:
    """Wrap the loading of all services so that no consumer then stands beyond the end of its stream."""

    @functools.wraps(load)
    def wrapper() -> None:
        load()
        positions = lambda_svc._dynamodb_stream_positions
        with lambda_svc._dynamodb_stream_positions_lock:
            for (account, region, mapping), position in list(positions.all_items()):
                table = _streamed_table(lambda_svc._esms.get_scoped(account, region, mapping) or {})
                if table is not None:
                    end = dynamodb.stream_end_position(table, account_id=account, region=region)
                    positions.set_scoped(account, region, mapping, min(position, end))

    return wrapper


def _streamed_table(mapping: dict[str, Any]) -> str | None:
    source = mapping.get("EventSourceArn", "")
    found = lambda_svc._dynamodb_stream_table_from_arn_spec(parse_arn(source)) if source else None
    return None if found is None else found[0]
