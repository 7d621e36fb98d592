"""Where Genesys Cloud is, by AWS region: it invokes functions in its own region only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GenesysRegion:
    """Where Genesys Cloud runs in an AWS region."""

    host: str
    """The API is at `api.` and the login at `login.` of it."""
    account: str = "765628985471"
    """The AWS account from which Genesys Cloud assumes roles: one for all core and satellite regions."""


# Hosts as in Genesys' own SDK (PureCloudRegionHosts); accounts as in Genesys' articles on AWS integrations.
GENESYS_REGIONS = {
    "ap-northeast-1": GenesysRegion("mypurecloud.jp"),
    "ap-northeast-2": GenesysRegion("apne2.pure.cloud"),
    "ap-northeast-3": GenesysRegion("apne3.pure.cloud"),
    "ap-south-1": GenesysRegion("aps1.pure.cloud"),
    "ap-southeast-1": GenesysRegion("apse1.pure.cloud"),
    "ap-southeast-2": GenesysRegion("mypurecloud.com.au"),
    "ca-central-1": GenesysRegion("cac1.pure.cloud"),
    "eu-central-1": GenesysRegion("mypurecloud.de"),
    "eu-central-2": GenesysRegion("euc2.pure.cloud"),
    "eu-west-1": GenesysRegion("mypurecloud.ie"),
    "eu-west-2": GenesysRegion("euw2.pure.cloud"),
    "eusc-de-east-1": GenesysRegion("edee1.eusc-pure.cloud", account=""),  # not published: ask Genesys
    "me-central-1": GenesysRegion("mec1.pure.cloud"),
    "mx-central-1": GenesysRegion("mxc1.pure.cloud"),
    "sa-east-1": GenesysRegion("sae1.pure.cloud"),
    "us-east-1": GenesysRegion("mypurecloud.com"),
    "us-east-2": GenesysRegion("use2.us-gov-pure.cloud", account="325654371633"),  # FedRAMP
    "us-west-2": GenesysRegion("usw2.pure.cloud"),
}
