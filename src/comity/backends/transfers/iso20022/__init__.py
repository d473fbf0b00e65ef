"""ISO 20022 messages as transfers and recalls: pacs.008, pacs.004, camt.053; camt.056 and camt.029.

Read entry by entry with `xml_stream`; which element becomes which column is in spec/formats.md.
"""

from comity.backends.transfers.iso20022.messages import MESSAGES, items, message_of
from comity.backends.transfers.iso20022.recalls import recalls

__all__ = ["MESSAGES", "items", "message_of", "recalls"]
