"""Duplicate detection over a whole base or an arbitrary export, with Splink on DuckDB."""

__all__ = ["errors", "finding", "nightly"]
