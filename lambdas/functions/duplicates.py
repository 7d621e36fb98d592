"""The steps of the nightly search for duplicates, one for each call of its state machine."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cir.connect import open_genesys, open_store
from cir.contacts.organization import ExternalSources
from cir.duplicates.nightly import Nightly
from cir.merge.merging import Merging
from cir.runtime import log
from cir.runtime.deadline import seconds_left
from cir.runtime.metrics import embedded
from cir.settings import default_region, required

LONGEST_SECONDS = 840.0
"""Of one step of merging; what is left then is the next one's."""

_client = open_genesys("bulk")
_store = open_store()
_sources = ExternalSources(_client)
_nightly = Nightly(_client, _store, Merging(_client, _store, _sources), _sources, default_region())


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """`{"step": ...}` and what the step before has answered. Raises what the state machine shall repeat."""
    match event["step"]:
        case "start":
            return {"export": _nightly.start()}
        case "wait":
            return {"export": event["export"], "ready": _nightly.is_ready(event["export"])}
        case "propose":
            proposed = asdict(_nightly.propose(event["export"]))
            _report("duplicates proposed", proposed)
            return proposed
        case "merge":
            seconds = seconds_left(context, at_most=LONGEST_SECONDS)
            merged = _nightly.merge(at_most=event["allowed"], seconds=seconds)
            _report("duplicates merged", {"merged": merged.merged})
            return {"allowed": event["allowed"] - merged.merged, "left": merged.left}
    raise ValueError(f"there is no step {event['step']!r}")


def _report(event: str, numbers: Mapping[str, int]) -> None:
    """One line of the log, whose numbers are metrics as well."""
    metrics = {
        f"Duplicates{name.title().replace('_', '')}": (float(number), "Count") for name, number in numbers.items()
    }
    dimensions = {"Environment": required(os.environ, "CIR_ENVIRONMENT")}
    log.write({"event": event, **embedded(metrics, dimensions=dimensions, by=(("Environment",),))})
