"""claim in Genesys: claimed, taken by whom, or no field"""

NO_FIELD = "no free field"
"""How the ledger says that Genesys had no room for an identifier."""
