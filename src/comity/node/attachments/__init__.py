"""Attachments: announced, fetched or pushed, taken out of the node."""
