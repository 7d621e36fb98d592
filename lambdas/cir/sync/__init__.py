"""CRM records brought to Genesys Cloud and the index."""

__all__ = ["customers", "deletion", "drafts", "rewriting"]
