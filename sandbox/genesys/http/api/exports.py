"""Exports of contacts to a file."""

from ...jobs.exports import Export, ExportRequest, Table, matcher
from ...jobs.files import File
from ...jobs.jobs import breathe
from ...world import World
from ..calls import Call, Reply


def create(call: Call) -> Reply:
    world = call.world
    request = ExportRequest.read(call.body)
    world.organization.divisions_to_read(request.division_ids)
    matcher(request.query_conditions.filters)
    export = Export(
        id=world.new_id(),
        request=request,
        given=request.query_conditions.wire(),
        created=world.clock.now(),
        creator=call.token.client_id,
        pace=world.pace(),
    )
    world.exports.by_id[export.id] = export
    world.jobs.start(_run(world, export, call.base_url))
    return Reply(201, export.wire())


def get(call: Call) -> Reply:
    export = call.world.exports.get(call.part("exportId"))
    view = export.wire()
    export.pace.poll()
    return Reply(200, view)


def list_all(call: Call) -> Reply:
    divisions = set(call.many("divisionIds"))
    exports = [
        export.wire()
        for export in call.world.exports.by_id.values()
        if not divisions or not divisions.isdisjoint(export.request.division_ids)
    ]
    limit = call.number("pageSize", default=25, high=200)
    page, links = call.cursor_page(exports, limit=limit, parameter="after")
    links.pop("cursors", None)
    return Reply(200, {"entities": page, **links})


async def _run(world: World, export: Export, base_url: str) -> None:
    await export.pace.step()
    divisions = world.organization.divisions_to_read(export.request.division_ids)
    matches = matcher(export.request.query_conditions.filters)
    table = Table()
    for index, record in enumerate(list(world.contacts)):
        await breathe(index)
        if table.rows >= export.request.query_conditions.limit:
            break
        if record.division in divisions and matches(record):
            table.add(record)
    path = world.files.put(File("contacts.csv", "text/csv", table.content()))
    export.rows = table.rows
    export.download_url = base_url + path
    export.completed = world.clock.now()
