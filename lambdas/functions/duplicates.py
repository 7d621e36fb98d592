"""The steps of the nightly search for duplicates, one for each call of its state machine."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cir import connect
from cir.contacts.organization import ExternalSources
from cir.duplicates.nightly import Nightly
from cir.merge.merging import Merging
from cir.runtime import log
from cir.runtime.deadline import seconds_left
from cir.runtime.metrics import embedded
from cir.settings import default_region, required
from functions import Handler, opened

LONGEST_SECONDS = 840.0
"""Of one step of merging; what is left then is the next one's."""


def make_handler(nightly: Nightly, *, environment: str) -> Handler:
    """The function, over its parts; `environment` is the name that its metrics carry."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """`{"step": ...}` and what the step before has answered. Raises what the state machine shall repeat."""
        match event["step"]:
            case "start":
                return {"export": nightly.start()}
            case "wait":
                return {"export": event["export"], "ready": nightly.is_ready(event["export"])}
            case "propose":
                proposed = asdict(nightly.propose(event["export"]))
                _report("duplicates proposed", proposed, environment)
                return proposed
            case "merge":
                seconds = seconds_left(context, at_most=LONGEST_SECONDS)
                merged = nightly.merge(at_most=event["allowed"], seconds=seconds)
                _report("duplicates merged", {"merged": merged.merged}, environment)
                return {"allowed": event["allowed"] - merged.merged, "left": merged.left}
        raise ValueError(f"there is no step {event['step']!r}")

    return handler


def _open() -> Handler:
    client, store = connect.open_genesys("bulk"), connect.open_store()
    sources = ExternalSources(client)
    nightly = Nightly(client, store, Merging(client, store, sources), sources, default_region())
    return make_handler(nightly, environment=required(os.environ, "CIR_ENVIRONMENT"))


handler = opened(_open)


def _report(event: str, numbers: Mapping[str, int], environment: str) -> None:
    """One line of the log, whose numbers are metrics as well."""
    metrics = {
        f"Duplicates{name.title().replace('_', '')}": (float(number), "Count") for name, number in numbers.items()
    }
    log.write({"event": event, **embedded(metrics, dimensions={"Environment": environment}, by=(("Environment",),))})
