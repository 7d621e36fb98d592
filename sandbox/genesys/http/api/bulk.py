"""Contacts in bulk. Each item succeeds or fails alone; the order of the results is not that of the request."""

from collections.abc import Callable

from ...organization import errors
from ...organization.errors import JSON, ApiError
from ...organization.models import EnrichRequest
from .. import views
from ..calls import Call, Reply
from .contacts import enrich_one

MAX_ENRICH = 10  # "Run up to 10 Enrich operations per request"


def fetch(call: Call) -> Reply:
    def one(entity: JSON) -> tuple[int, JSON]:
        return 200, views.contact(call.world, call.world.contacts.canonical(entity["id"]))

    return _reply(call, [_result(entity, one, entity) for entity in _referenced(call)])


def fetch_unresolved(call: Call) -> Reply:
    def one(entity: JSON) -> tuple[int, JSON]:
        return 200, views.contact(call.world, call.world.contacts.unresolved(entity["id"]))

    return _reply(call, [_result(entity, one, entity) for entity in _referenced(call)])


def add(call: Call) -> Reply:
    def one(entity: JSON) -> tuple[int, JSON]:
        return 200, views.contact(call.world, call.world.service.create(entity))

    results = [_result(entity, one, entity) for entity in _entities(call, call.world.settings.bulk_limit)]
    for result in results:  # here the id is that of the new contact
        result.pop("id", None)
        if result["success"]:
            result["id"] = result["entity"]["id"]
    return _reply(call, results)


def update(call: Call) -> Reply:
    def one(entity: JSON) -> tuple[int, JSON]:
        return 200, views.contact(call.world, call.world.service.put(entity["id"], entity))

    return _reply(call, [_result(entity, one, entity) for entity in _referenced(call)])


def remove(call: Call) -> Reply:
    def one(entity: JSON) -> tuple[int, JSON]:
        call.world.service.delete(entity["id"])
        return 200, {}

    return _reply(call, [_result(entity, one, entity) for entity in _referenced(call)])


def enrich(call: Call) -> Reply:
    def one(request: EnrichRequest | ApiError) -> tuple[int, JSON]:
        if isinstance(request, ApiError):
            raise request
        return enrich_one(call, request)

    entities = _entities(call, MAX_ENRICH)
    requests = [_enrich_request(position, entity) for position, entity in enumerate(entities)]
    return _reply(call, [_result(entity, one, request) for entity, request in zip(entities, requests, strict=True)])


def _enrich_request(position: int, entity: JSON) -> EnrichRequest | ApiError:
    """JSON that cannot be read spoils the whole request; data that breaks a rule only its own operation."""
    try:
        return EnrichRequest.read(entity, invalid="The provided enrich request was not valid")
    except ApiError as error:
        if error.status == 400:
            error.fields = tuple(f"entities.{position}.{name}" for name in error.fields)
            raise
        return error


def _entities(call: Call, maximum: int) -> list[JSON]:
    entities = call.body.get("entities") if isinstance(call.body, dict) else None
    if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
        raise errors.bad_request("entities: must be an array of objects", "entities", code="constraint.validation")
    if not 1 <= len(entities) <= maximum:
        raise errors.validation_failed(
            "The provided contact list was not valid",
            [("entities", f"must be from 1 to {maximum}, not {len(entities)}")],
        )
    return entities


def _referenced(call: Call) -> list[JSON]:
    entities = _entities(call, call.world.settings.bulk_limit)
    for position, entity in enumerate(entities):
        if not isinstance(entity.get("id"), str):
            name = f"entities.{position}.id"
            raise errors.bad_request(f"{name}: may not be null", name, code="constraint.validation")
    return entities


def _result[T](entity: JSON, operation: Callable[[T], tuple[int, JSON]], argument: T) -> JSON:
    result: JSON = {"id": entity["id"]} if isinstance(entity.get("id"), str) else {}
    try:
        status, body = operation(argument)
    except ApiError as error:
        return result | {"success": False, "status": error.status, "error": error.bulk(entity)}
    return result | {"success": True, "status": status, "entity": body}


def _reply(call: Call, results: list[JSON]) -> Reply:
    if call.world.settings.shuffle_bulk_results:
        call.world.random.shuffle(results)
    failed = [position for position, result in enumerate(results) if not result["success"]]
    return Reply(200, {"results": results, "errorCount": len(failed), "errorIndexes": failed})
