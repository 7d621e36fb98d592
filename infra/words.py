"""Words that the stacks and the functions must share. `infra` does not import what it deploys, so they stand here too;
tests/infra/test_words.py holds them equal to the engine's."""

from typing import Literal, get_args

type Outcome = Literal["RESOLVED", "AMBIGUOUS", "CONFLICT", "NOT_FOUND", "BLOCKED", "DEGRADED"]
type CacheStatus = Literal["hit", "miss", "negative", "degraded"]
type CrmKind = Literal["salesforce", "dynamics", "servicenow"]

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome.__value__)
CACHE_STATUSES: tuple[CacheStatus, ...] = get_args(CacheStatus.__value__)
CRM_KINDS: tuple[CrmKind, ...] = get_args(CrmKind.__value__)

METRICS = "cir"
"""Namespace of the metrics that the functions publish in their log lines."""

CONTACT_TOPICS = ("v2.externalcontacts.contacts.{id}", "v2.externalcontacts.contacts.{id}.unresolved")
"""What Genesys' partner bus calls the events that are followed."""

IMPORTS = "imports/"
"""Below which the bucket has the files of imports."""
NIGHTS = "reconcile/"
"""Below which it has those of reconciliations, but for their repairs, which are imports."""
REPAIRS = f"{IMPORTS}reconcile-"

WRONG_FILE = ("ConfigurationError", "FileError", "MappingError", "ValueError")
"""What the first step of an import raises for whoever has uploaded the file, or set Genesys up."""
STOPPED = "stopped"
"""How a reconciliation ends that a person has to look at."""
