"""Genesys Cloud's public API, as far as the engine needs it. Start at `client.GenesysClient`."""
