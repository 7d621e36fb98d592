"""An emulator of the Genesys Cloud public API around External Contacts. See docs/emulator.md."""
