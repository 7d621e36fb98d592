"""A customer as a Genesys External Contact: reading, writing, claiming and detaching what leads to it."""

__all__ = ["claiming", "detaching", "organization", "reading", "writing"]
