"""Merging contacts by plan, and taking them apart again."""

__all__ = ["merging", "splitting", "survivorship"]
