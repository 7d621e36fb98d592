"""The CRMs that customers come from, behind one small interface."""

from collections.abc import Mapping

from cir.crm.connector import Connector
from cir.crm.connectors.credentials import from_environment
from cir.crm.connectors.dynamics import Dynamics
from cir.crm.connectors.errors import CrmError
from cir.crm.connectors.file import FileConnector
from cir.crm.connectors.salesforce import Salesforce
from cir.crm.connectors.servicenow import ServiceNow
from cir.crm.mapping import FILE, CrmKind, CrmMapping

__all__ = ["CrmError", "file", "open_connector"]


def open_connector(environment: Mapping[str, str], mapping: CrmMapping) -> Connector:
    """The connector of the mapping's CRM; nothing is called yet. Raises CrmError naming a setting that is missing.

    CRM_URL; CRM_SECRET_ARN, or CRM_CLIENT_ID and CRM_CLIENT_SECRET; for Dynamics 365 CRM_TENANT_ID, and CRM_LOGIN_URL
    in a national cloud. A file needs CRM_FILE only.
    """
    if mapping.connector == FILE:
        return FileConnector.from_environment(environment, mapping)
    match mapping.connector:
        case CrmKind.DYNAMICS:
            return Dynamics(mapping, from_environment(environment, needs_tenant=True))
        case CrmKind.SERVICENOW:
            return ServiceNow(mapping, from_environment(environment))
        case CrmKind.SALESFORCE:
            return Salesforce(mapping, from_environment(environment))
        case _:
            raise CrmError(f"the mapping of {mapping.source} names no connector: it can be used with files only")
