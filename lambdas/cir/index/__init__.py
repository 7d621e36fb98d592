"""What is stored and cached: identifiers, contacts, the ledger, the cache, tombstones, cases for review."""

__all__ = ["again", "cache", "review", "store", "tombstones"]
