"""Messages: queued, delivered, received, fetched, and told about. What they say is for `hear` and its likes."""
