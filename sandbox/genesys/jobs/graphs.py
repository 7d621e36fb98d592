"""Genesys' own search for duplicates: a scan finds groups of contacts that share an exact identifier."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

from ..organization import errors
from ..organization.clock import iso
from ..organization.contacts import ContactStore, Record
from ..organization.errors import JSON, ApiError
from ..organization.identifiers import Key, keys_in
from ..organization.service import Service

SCANS_URI = "/api/v2/externalcontacts/graphs/clusterscans"
SETTINGS_URI = "/api/v2/externalcontacts/graphs/settings"
MERGE_STATUSES = (
    "AutoQueued",
    "AutoSucceeded",
    "AutoFailed",
    "ManualQueued",
    "ManualSucceeded",
    "ManualFailed",
    "NotMerged",
)

# Identifier types that take part, under the names of the cluster graph.
_NORMALIZED = {
    "Phone": "Phone",
    "Email": "Email",
    "ExternalId": "ExternalId",
    "SocialFacebook": "FacebookId",
    "SocialInstagram": "InstagramId",
    "SocialInstagramHandle": "InstagramHandle",
}

MergeStatus = Literal["AutoSucceeded", "AutoFailed", "ManualSucceeded", "ManualFailed", "NotMerged"]


@dataclass(slots=True)
class Cluster:
    id: str
    division: str
    contacts: tuple[str, ...]
    found: float
    status: MergeStatus = "NotMerged"
    error: ApiError | None = None
    merged: float | None = None

    def merge(self, service: Service, store: ContactStore, now: float, *, automatic: bool) -> None:
        """Merge what is left of the cluster; a failure is kept with it."""
        heads = {
            head.id: head for found in self.contacts if (record := store.stored(found)) for head in [store.head(record)]
        }
        self.merged = now
        try:
            service.merge_records(list(heads.values()))
        except ApiError as error:
            self.error, self.status = error, "AutoFailed" if automatic else "ManualFailed"
        else:
            self.error, self.status = None, "AutoSucceeded" if automatic else "ManualSucceeded"

    def merge_info(self) -> JSON:
        info: JSON = {"status": self.status}
        if self.error:
            info["error"] = {"message": self.error.message, "code": self.error.code}
        return info | ({"dateMerged": iso(self.merged)} if self.merged else {})


@dataclass(slots=True)
class Scan:
    id: str
    completed: float
    clusters: dict[str, Cluster]

    def statistics(self) -> JSON:
        statuses = [cluster.status for cluster in self.clusters.values()]
        return {
            "aggregated": {
                "totalClusters": len(statuses),
                "totalAutomaticMergeSuccesses": statuses.count("AutoSucceeded"),
                "totalAutomaticMergeFailures": statuses.count("AutoFailed"),
            },
            "selfUri": f"{SCANS_URI}/{self.id}/statistics",
        }

    def wire(self, *, statistics: bool) -> JSON:
        view: JSON = {"id": self.id, "dateCompleted": iso(self.completed), "selfUri": f"{SCANS_URI}/{self.id}"}
        return view | ({"statistics": self.statistics()} if statistics else {})


@dataclass(slots=True)
class Graphs:
    automatic_merging: bool = False
    modified: float = 0.0
    scans: dict[str, Scan] = field(default_factory=dict)

    def get(self, scan_id: str) -> Scan:
        if scan := self.scans.get(scan_id):
            return scan
        raise errors.entity_not_found("ClusterScan", scan_id, "The requested resource was not found.")

    def cluster(self, scan_id: str, cluster_id: str) -> tuple[Scan, Cluster]:
        scan = self.get(scan_id)
        if cluster := scan.clusters.get(cluster_id):
            return scan, cluster
        raise errors.entity_not_found("Cluster", cluster_id, "The requested resource was not found.")


def components(store: ContactStore) -> list[tuple[str, tuple[str, ...]]]:
    """Connected groups of canonical contacts of one division that share an identifier: (division, contact ids)."""
    parents: dict[str, str] = {}
    divisions: dict[str, str] = {}

    def root(contact_id: str) -> str:
        while parents[contact_id] != contact_id:
            parents[contact_id] = parents[parents[contact_id]]
            contact_id = parents[contact_id]
        return contact_id

    for key, ids in store.shared_keys():
        if not normalized_type(key):
            continue
        by_division: defaultdict[str, list[str]] = defaultdict(list)
        for contact_id in ids:
            parents.setdefault(contact_id, contact_id)
            divisions[contact_id] = store.unresolved(contact_id).division
            by_division[divisions[contact_id]].append(contact_id)
        for first, *others in by_division.values():
            for other in others:
                parents[root(other)] = root(first)
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for contact_id in parents:
        groups[root(contact_id)].append(contact_id)
    return [(divisions[ids[0]], tuple(ids)) for ids in groups.values() if len(ids) > 1]


def normalized_type(key: Key) -> str | None:
    if key.type == "SocialTwitter":
        return "TwitterId" if key.value.isdecimal() else "TwitterHandle"
    return _NORMALIZED.get(key.type)


def graph(records: list[Record], views: list[JSON]) -> JSON:
    """The contacts, the identifiers that at least two of them share, and who has which."""
    holders: defaultdict[Key, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        for key in dict.fromkeys(keys_in(record.fields)):
            holders[key].append(number)
    shared = [(key, numbers) for key, numbers in holders.items() if len(numbers) > 1 and normalized_type(key)]
    return {
        "vertices": {
            "contacts": [{"vertexId": f"c{number}", "contact": view} for number, view in enumerate(views)],
            "identifiers": [
                {"vertexId": f"i{number}", "normalizedType": normalized_type(key), "normalizedValue": key.value}
                for number, (key, _) in enumerate(shared)
            ],
        },
        "edges": [
            {"from": f"c{contact}", "to": f"i{number}"} for number, (_, held) in enumerate(shared) for contact in held
        ],
    }
