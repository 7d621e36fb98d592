"""Genesys Cloud's public API, as far as the engine needs it. Start at `client.GenesysClient`."""

__all__ = ["budget", "client", "contacts", "errors", "fields", "identifiers", "imports", "models", "transport"]
