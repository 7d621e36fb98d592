"""What an identifier is and what evidence means. Pure: no network, no AWS, no Genesys Cloud."""
