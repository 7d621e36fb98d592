"""What an identifier is and what evidence means. Pure: no network, no AWS, no Genesys Cloud."""

__all__ = [
    "attestation",
    "counterfactual",
    "identifiers",
    "parsing",
    "phone_life",
    "records",
    "rules",
    "spelling",
    "verdict",
]
