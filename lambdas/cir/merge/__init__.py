"""Merging contacts by plan, and taking them apart again."""
