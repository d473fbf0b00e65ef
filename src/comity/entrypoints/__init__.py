"""Where people and programs come in: the command line, the web pages, and what other nodes talk to."""
