"""Every operation of the emulated API: method, path, permission, who answers it, and what the answer leaves out."""

from collections.abc import Callable
from dataclasses import dataclass

from .api import bulk, contacts, exports, gdpr, graphs, imports, lookups, organization, schemas, sources
from .calls import Call, Reply

PREFIX = "/api/v2"

# Permissions as the API description names them; the graph operations and contacts/search publish none.
_VIEW = "externalContacts:contact:view"
_ADD = "externalContacts:contact:add"
_EDIT = "externalContacts:contact:edit"
_DELETE = "externalContacts:contact:delete"
_ENRICH = "externalContacts:contact:enrich"
_VIEW_ALL = "externalContacts:contact:viewAll"
_SEARCH = "externalContacts:contact:search"
_MERGE = "externalContacts:identity:merge"
_PROMOTE = "externalContacts:identity:promote"
_SOURCE = "externalContacts:externalSource"
_FIELDS = "externalContacts:customFields"
_IMPORT_SETTINGS = "externalContacts:importSettings"
_IMPORT_CSV_SETTINGS = "externalContacts:importCsvSettings"
_IMPORT_UPLOAD = "externalContacts:importCsvUpload"
_IMPORT_CSV_JOB = "externalContacts:importCsvJob"
_IMPORT_JOB = "externalContacts:importJob"
_EXPORT = "externalContacts:export"


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str  # below /api/v2
    permission: str | None
    handler: Callable[[Call], Reply]
    left_out: str = ""
    """What the production API does here and the emulator does not, beyond what holds for all operations."""

    @property
    def name(self) -> str:
        return f"{self.method} {PREFIX}{self.path}"

    @property
    def id(self) -> str:
        """As the SDKs name their methods: `getGdprRequest` is `GET /gdpr/requests/{requestId}`."""
        parts = self.path.strip("/").split("/")
        following = [*parts[1:], ""]
        words = [
            (part.removesuffix("s") if after.startswith("{") else part).capitalize()
            for part, after in zip(parts, following, strict=True)
            if not part.startswith("{")
        ]
        return self.method.lower() + "".join(words)


_AT_ONCE = "the time after which a change is found"
_EXACT = "clusters by anything but shared identifiers"
_UNPUBLISHED = "limits whose values are not published"
_ONLY_CONTACTS = "what is no external contact: users, conversations, recordings, contact lists"

_EC = "/externalcontacts"
_CONTACT = f"{_EC}/contacts/{{contactId}}"
_SCHEMA = f"{_EC}/contacts/schemas"
_SOURCES = f"{_EC}/externalsources"
_BULK = f"{_EC}/bulk/contacts"
_SCANS = f"{_EC}/graphs/clusterscans"
_CSV = f"{_EC}/import/csv"

# The first that matches answers, so fixed paths stand before those with parameters.
OPERATIONS = tuple(
    Operation(*entry)
    for entry in (
        ("POST", f"{_EC}/contacts", _ADD, contacts.create),
        ("GET", f"{_EC}/contacts", _VIEW, lookups.search, _AT_ONCE),
        ("POST", f"{_EC}/contacts/search", _VIEW, lookups.search_by_body, _AT_ONCE),
        ("POST", f"{_EC}/contacts/enrich", _ENRICH, contacts.enrich),
        ("POST", f"{_EC}/contacts/merge", _MERGE, contacts.merge),
        ("POST", f"{_EC}/merge/contacts", _MERGE, contacts.merge_two),
        ("POST", f"{_EC}/contacts/exports", f"{_EXPORT}:add", exports.create, "exports that fail"),
        ("GET", f"{_EC}/contacts/exports", f"{_EXPORT}:view", exports.list_all),
        ("GET", f"{_EC}/contacts/exports/{{exportId}}", f"{_EXPORT}:view", exports.get),
        ("GET", _SCHEMA, f"{_FIELDS}:view", schemas.list_all),
        ("POST", _SCHEMA, f"{_FIELDS}:add", schemas.create),
        ("GET", f"{_SCHEMA}/coretypes", f"{_FIELDS}:view", schemas.list_core_types),
        ("GET", f"{_SCHEMA}/coretypes/{{coreTypeName}}", f"{_FIELDS}:view", schemas.get_core_type),
        ("GET", f"{_SCHEMA}/limits", f"{_FIELDS}:view", schemas.get_limits),
        ("GET", f"{_SCHEMA}/{{schemaId}}", f"{_FIELDS}:view", schemas.get),
        ("PUT", f"{_SCHEMA}/{{schemaId}}", f"{_FIELDS}:edit", schemas.put),
        ("DELETE", f"{_SCHEMA}/{{schemaId}}", f"{_FIELDS}:delete", schemas.delete, "deletion: it is always refused"),
        ("GET", f"{_SCHEMA}/{{schemaId}}/versions", f"{_FIELDS}:view", schemas.list_versions),
        ("GET", f"{_SCHEMA}/{{schemaId}}/versions/{{versionId}}", f"{_FIELDS}:view", schemas.get_version),
        ("GET", _CONTACT, _VIEW, contacts.get),
        ("PUT", _CONTACT, _EDIT, contacts.put),
        ("PATCH", _CONTACT, _EDIT, contacts.patch),
        ("DELETE", _CONTACT, _DELETE, contacts.delete),
        ("GET", f"{_CONTACT}/unresolved", _VIEW, contacts.get_unresolved),
        ("GET", f"{_CONTACT}/identifiers", _VIEW, contacts.list_identifiers),
        ("PATCH", f"{_CONTACT}/identifiers", _EDIT, contacts.change_identifiers),
        ("POST", f"{_CONTACT}/promotion", _PROMOTE, contacts.promote),
        ("POST", f"{_EC}/identifierlookup", _VIEW, lookups.by_identifier),
        ("POST", f"{_EC}/identifierlookup/contacts", _VIEW, lookups.by_identifier),
        ("GET", f"{_EC}/reversewhitepageslookup", _VIEW, lookups.reverse_white_pages, "external organizations"),
        ("GET", f"{_EC}/scan/contacts", _VIEW, lookups.scan),
        ("GET", f"{_EC}/scan/contacts/divisionviews/all", _VIEW_ALL, lookups.scan),
        ("POST", _BULK, _VIEW, bulk.fetch),
        ("POST", f"{_BULK}/divisionviews", _SEARCH, bulk.fetch),
        ("POST", f"{_BULK}/unresolved", _VIEW, bulk.fetch_unresolved),
        ("POST", f"{_BULK}/add", _ADD, bulk.add),
        ("POST", f"{_BULK}/update", _EDIT, bulk.update),
        ("POST", f"{_BULK}/remove", _DELETE, bulk.remove),
        ("POST", f"{_BULK}/enrich", _ENRICH, bulk.enrich),
        ("GET", _SOURCES, f"{_SOURCE}:view", sources.list_all),
        ("POST", _SOURCES, f"{_SOURCE}:add", sources.create),
        ("GET", f"{_SOURCES}/{{externalSourceId}}", f"{_SOURCE}:view", sources.get),
        ("PUT", f"{_SOURCES}/{{externalSourceId}}", f"{_SOURCE}:edit", sources.put),
        ("DELETE", f"{_SOURCES}/{{externalSourceId}}", f"{_SOURCE}:delete", sources.delete),
        (
            "PUT",
            f"{_EC}/conversations/{{conversationId}}",
            "externalContacts:conversation:associate",
            contacts.associate,
            "conversations: any id is accepted",
        ),
        ("GET", f"{_CSV}/settings", f"{_IMPORT_CSV_SETTINGS}:viewAll", imports.list_csv_settings),
        ("POST", f"{_CSV}/settings", f"{_IMPORT_CSV_SETTINGS}:add", imports.create_csv_settings),
        ("GET", f"{_CSV}/settings/{{settingsId}}", f"{_IMPORT_CSV_SETTINGS}:view", imports.get_csv_settings),
        ("PUT", f"{_CSV}/settings/{{settingsId}}", f"{_IMPORT_CSV_SETTINGS}:edit", imports.put_csv_settings),
        ("DELETE", f"{_CSV}/settings/{{settingsId}}", f"{_IMPORT_CSV_SETTINGS}:delete", imports.delete_csv_settings),
        ("POST", f"{_CSV}/uploads", f"{_IMPORT_UPLOAD}:add", imports.create_upload),
        ("GET", f"{_CSV}/uploads/{{uploadId}}/details", f"{_IMPORT_UPLOAD}:view", imports.get_upload_details),
        ("GET", f"{_CSV}/uploads/{{uploadId}}/preview", f"{_IMPORT_UPLOAD}:view", imports.get_upload_preview),
        ("POST", f"{_CSV}/jobs", f"{_IMPORT_CSV_JOB}:add", imports.create_csv_job),
        ("GET", f"{_EC}/import/jobs", f"{_IMPORT_JOB}:viewAll", imports.list_jobs),
        ("POST", f"{_EC}/import/jobs", f"{_IMPORT_JOB}:add", imports.create_job, "a file: the job has no rows"),
        ("GET", f"{_EC}/import/jobs/{{jobId}}", f"{_IMPORT_JOB}:view", imports.get_job),
        ("PUT", f"{_EC}/import/jobs/{{jobId}}", f"{_IMPORT_JOB}:edit", imports.put_job),
        ("GET", f"{_EC}/import/settings", f"{_IMPORT_SETTINGS}:viewAll", imports.list_settings),
        ("POST", f"{_EC}/import/settings", f"{_IMPORT_SETTINGS}:add", imports.create_settings),
        ("GET", f"{_EC}/import/settings/{{settingsId}}", f"{_IMPORT_SETTINGS}:view", imports.get_settings),
        ("PUT", f"{_EC}/import/settings/{{settingsId}}", f"{_IMPORT_SETTINGS}:edit", imports.put_settings),
        ("DELETE", f"{_EC}/import/settings/{{settingsId}}", f"{_IMPORT_SETTINGS}:delete", imports.delete_settings),
        ("GET", f"{_EC}/graphs/settings", None, graphs.get_settings),
        ("PUT", f"{_EC}/graphs/settings", None, graphs.put_settings),
        ("GET", _SCANS, None, graphs.list_scans),
        ("GET", f"{_SCANS}/latest", None, graphs.get_scan, _EXACT),
        ("GET", f"{_SCANS}/latest/statistics", None, graphs.get_statistics),
        ("GET", f"{_SCANS}/{{scanId}}", None, graphs.get_scan, _EXACT),
        ("GET", f"{_SCANS}/{{scanId}}/statistics", None, graphs.get_statistics),
        ("GET", f"{_SCANS}/{{scanId}}/clusters", None, graphs.list_clusters, _EXACT),
        ("GET", f"{_SCANS}/{{scanId}}/clusters/{{clusterId}}", None, graphs.get_cluster),
        ("PUT", f"{_SCANS}/{{scanId}}/clusters/{{clusterId}}/merge", None, graphs.merge_cluster),
        ("GET", "/gdpr/requests", "gdpr:request:view", gdpr.list_all),
        ("POST", "/gdpr/requests", "gdpr:request:add", gdpr.create, f"{_ONLY_CONTACTS}; requests that fail"),
        ("GET", "/gdpr/requests/{requestId}", "gdpr:request:view", gdpr.get),
        ("GET", "/gdpr/subjects", "gdpr:subject:view", gdpr.search_subjects, _ONLY_CONTACTS),
        ("HEAD", "/tokens/me", None, organization.get_token),
        ("GET", "/tokens/me", None, organization.get_token, "scopes; `preserveIdleTTL`"),
        ("DELETE", "/tokens/me", None, organization.delete_token),
        ("GET", "/organizations/me", None, organization.get_organization, "features and settings"),
        ("GET", "/organizations/limits/namespaces/{namespaceName}", None, organization.list_limits, _UNPUBLISHED),
        (
            "GET",
            "/organizations/limits/namespaces/{namespaceName}/defaults",
            None,
            organization.list_default_limits,
            _UNPUBLISHED,
        ),
        (
            "GET",
            "/authorization/divisions",
            None,
            organization.list_divisions,
            "`sortBy`, `expand`, `nextPage`, `previousPage`, `objectCount`",
        ),
        ("GET", "/authorization/divisions/home", None, organization.get_home_division),
        ("GET", "/authorization/divisions/{divisionId}", None, organization.get_division, "`objectCount`"),
        (
            "GET",
            "/routing/queues",
            "routing:queue:view",
            organization.list_queues,
            "members and routing; `peerId`, `hasPeer`, `cannedResponseLibraryId`, `expand`",
        ),
        (
            "GET",
            "/routing/queues/{queueId}",
            "routing:queue:view",
            organization.get_queue,
            "members and routing; `expand`",
        ),
    )
)
