"""CRM records brought to Genesys Cloud and the index."""
