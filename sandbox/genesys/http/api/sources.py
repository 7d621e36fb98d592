"""External sources."""

from ..calls import Call, Reply


def list_all(call: Call) -> Reply:
    name, active = call.query.get("name", "").lower(), call.flag("active")
    sources = [
        source
        for source in call.world.sources.all()
        if source["name"].lower().startswith(name) and active in {None, source["active"]}
    ]
    limit = call.number("limit", default=100, low=10, high=200)
    page, links = call.cursor_page(sources, limit=limit, scope=(name, str(active)))
    return Reply(200, {"entities": page, **links})


def create(call: Call) -> Reply:
    return Reply(200, call.world.sources.create(call.body))


def get(call: Call) -> Reply:
    return Reply(200, call.world.sources.get(call.part("externalSourceId")))


def put(call: Call) -> Reply:
    return Reply(200, call.world.sources.update(call.part("externalSourceId"), call.body))


def delete(call: Call) -> Reply:
    call.world.sources.delete(call.part("externalSourceId"))
    return Reply(200, {})
