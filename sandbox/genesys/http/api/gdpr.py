"""Privacy requests."""

import json

from ...jobs import gdpr
from ...jobs.files import File
from ...jobs.gdpr import PrivacyRequest, PrivacyRequestBody
from ...organization import errors
from ...world import World
from .. import views
from ..calls import Call, Reply


def create(call: Call) -> Reply:
    body = PrivacyRequestBody.read(call.body)
    if body.request_type == "GDPR_DELETE" and not call.flag("deleteConfirmed"):
        raise errors.bad_request("A request of type GDPR_DELETE needs deleteConfirmed=true.", "deleteConfirmed")
    if body.request_type == "GDPR_UPDATE" and not body.replacement_terms:
        raise errors.bad_request("A request of type GDPR_UPDATE needs replacement terms.", "replacementTerms")
    if not body.subject.wire():
        raise errors.bad_request("The subject names nobody.", "subject")
    world = call.world
    request = PrivacyRequest(
        id=world.new_id(),
        body=body,
        created=world.clock.now(),
        creator=call.token.client_id,
        pace=world.pace(),
    )
    world.privacy.by_id[request.id] = request
    world.jobs.start(_run(world, request, call.base_url))
    return Reply(202, request.wire())


def list_all(call: Call) -> Reply:
    requests = [request.wire() for request in call.world.privacy.by_id.values()]
    return Reply(200, call.numbered_page(requests, default_size=25))


def get(call: Call) -> Reply:
    request = call.world.privacy.get(call.part("requestId"))
    view = request.wire()
    request.pace.poll()
    return Reply(200, view)


def search_subjects(call: Call) -> Reply:
    kind, value = call.choice("searchType", gdpr.SEARCH_TYPES), call.query.get("searchValue", "").strip()
    if kind is None or not value:
        raise errors.bad_request("searchType and searchValue are both needed.", "searchType", "searchValue")
    subjects = [gdpr.subject_view(record) for record in gdpr.search(call.world.contacts, kind, value)]
    return Reply(200, call.numbered_page(subjects, default_size=25))


async def _run(world: World, request: PrivacyRequest, base_url: str) -> None:
    await request.pace.step()
    request.status = "SEARCHING"
    await request.pace.step()
    contacts = gdpr.contacts_of(world.contacts, request.body.subject)
    match request.body.request_type:
        case "GDPR_DELETE":
            request.status = "DELETING"
            await request.pace.step()
            for record in contacts:
                if world.contacts.stored(record.id):
                    world.contacts.delete(world.contacts.head(record))
        case "GDPR_UPDATE":
            request.status = "UPDATING"
            await request.pace.step()
            for record in contacts:
                if world.contacts.stored(record.id):
                    world.contacts.update(record, gdpr.replaced(record.fields, request.body.replacement_terms))
        case "GDPR_EXPORT":
            request.status = "FINALIZING"
            await request.pace.step()
            found = [views.contact(world, record, ["identifiers"]) for record in contacts]
            content = json.dumps({"externalContacts": found}, ensure_ascii=False).encode()
            request.results_url = base_url + world.files.put(File("results.json", "application/json", content))
    request.status = "COMPLETED"
