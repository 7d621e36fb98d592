"""How alike two people are: names, streets, scores. Pure."""

__all__ = ["addresses", "names"]
