"""Cluster scans and automatic merging (a preview API)."""

from ...jobs import graphs
from ...jobs.graphs import Cluster, Scan
from ...organization import errors
from ...organization.clock import iso
from ...organization.errors import JSON
from ...organization.models import GraphSettings
from ...world import World
from .. import views
from ..calls import Call, Reply


def get_settings(call: Call) -> Reply:
    state = call.world.graphs
    return Reply(
        200,
        {
            "automaticMergingEnabled": state.automatic_merging,
            "dateModified": iso(state.modified or call.world.started),
            "selfUri": graphs.SETTINGS_URI,
        },
    )


def put_settings(call: Call) -> Reply:
    given = GraphSettings.read(call.body)
    call.world.graphs.automatic_merging = given.automatic_merging_enabled
    call.world.graphs.modified = call.world.clock.now()
    return get_settings(call)


def run_scan(world: World) -> Scan:
    """Find the clusters of this moment, and merge them if automatic merging is on."""
    now = world.clock.now()
    clusters = [
        Cluster(world.new_id(), division, contacts, now) for division, contacts in graphs.components(world.contacts)
    ]
    scan = Scan(world.new_id(), now, {cluster.id: cluster for cluster in clusters})
    if world.graphs.automatic_merging:
        for cluster in clusters:
            cluster.merge(world.service, world.contacts, now, automatic=True)
    world.graphs.scans[scan.id] = scan
    return scan


def _expand(call: Call) -> bool:
    return "statistics" in call.many("expand", allowed=("statistics",))


def list_scans(call: Call) -> Reply:
    statistics = _expand(call)
    scans = [scan.wire(statistics=statistics) for scan in call.world.graphs.scans.values()]
    page, links = call.cursor_page(scans, limit=call.number("limit", default=100, high=100))
    return Reply(200, {"entities": page, **links})


def get_scan(call: Call) -> Reply:
    return Reply(200, _scan(call).wire(statistics=_expand(call)))


def get_statistics(call: Call) -> Reply:
    return Reply(200, _scan(call).statistics())


def _scan(call: Call) -> Scan:
    """The scan of the path; without an id the latest one."""
    if scan_id := call.parts.get("scanId"):
        return call.world.graphs.get(scan_id)
    if not call.world.graphs.scans:
        raise errors.generic(404)
    return next(reversed(call.world.graphs.scans.values()))


def list_clusters(call: Call) -> Reply:
    scan = call.world.graphs.get(call.part("scanId"))
    divisions = call.world.organization.divisions_to_read(call.many("divisionIds", maximum=50))
    status = call.choice("mergeInfo.status", graphs.MERGE_STATUSES)
    clusters = [
        cluster
        for cluster in scan.clusters.values()
        if cluster.division in divisions and status in {None, cluster.status}
    ]
    limit = call.number("limit", default=100, high=100)
    page, links = call.cursor_page(clusters, limit=limit, scope=(status or "", *divisions))
    return Reply(200, {"entities": [_cluster(call, scan, cluster) for cluster in page], **links})


def get_cluster(call: Call) -> Reply:
    return Reply(200, _cluster(call, *call.world.graphs.cluster(call.part("scanId"), call.part("clusterId"))))


def merge_cluster(call: Call) -> Reply:
    world = call.world
    scan, cluster = world.graphs.cluster(call.part("scanId"), call.part("clusterId"))
    cluster.merge(world.service, world.contacts, world.clock.now(), automatic=False)
    return Reply(200, _cluster(call, scan, cluster))


def _cluster(call: Call, scan: Scan, cluster: Cluster) -> JSON:
    records = [record for contact_id in cluster.contacts if (record := call.world.contacts.stored(contact_id))]
    shown = [views.contact(call.world, record) for record in records]
    return {
        "id": cluster.id,
        "division": call.world.organization.division_reference(cluster.division, named=True),
        "clusterScan": scan.wire(statistics=False),
        "mergeInfo": cluster.merge_info(),
        "graph": graphs.graph(records, shown),
        "dateCreated": iso(cluster.found),
        "selfUri": f"{graphs.SCANS_URI}/{scan.id}/clusters/{cluster.id}",
    }
