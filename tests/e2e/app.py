"""The app as it is deployed, but for a CRM in each of its environments."""

from dataclasses import replace

from infra.environments import ENVIRONMENTS
from infra.settings import Crm

CRM_HOST = "acme.my.salesforce.com"

if __name__ == "__main__":
    from app import main  # with the CDK, which the tests that only read the name of the host do without

    main(tuple(replace(each, crm=Crm(kind="salesforce", url=f"https://{CRM_HOST}")) for each in ENVIRONMENTS))
