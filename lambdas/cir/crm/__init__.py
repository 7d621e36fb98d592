"""What a CRM holds: its records, the mapping that says which field feeds what, its export files and connectors."""

__all__ = ["connector", "connectors", "export_file", "mapping", "protected", "record"]
