"""What happens in Genesys Cloud itself, brought to the index: contact events, and contacts that it knows first."""

__all__ = ["backfill", "events"]
