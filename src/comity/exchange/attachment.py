"""What a message says of an attachment, which is carried apart from it (spec/attachment.md §1). Pure.

The description travels sealed and signed in the message's payload, so that only the recipients learn the key, and
what they fetch later is exactly what was signed. A name is a label for people: nothing is ever opened by it.
"""

import re
from dataclasses import dataclass
from typing import Any

from comity.exchange.fields import DIGEST, Fields
from comity.proofs.chunks import KEY_BYTES, Layout
from comity.proofs.signatures import encode

FORMAT = "comity-attachment/1"
LEAST_CHUNK = 4 * 1024
MOST_CHUNK = 4 * 1024 * 1024
USUAL_CHUNK = 1024 * 1024
MOST_BYTES = 2**43
"""8 TiB: what a description may say. What a node takes is its own setting, far lower."""
LONGEST_NAME = 200
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}", re.ASCII)
"""RFC 6838 §4.2, in lower case and without parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """`id` is the SHA-256 of the sealed bytes, `digest` that of the plain ones, both in hex; sizes in bytes."""

    id: str
    name: str
    media_type: str
    size: int
    """Plain."""
    chunk: int
    digest: str
    key: bytes

    @property
    def layout(self) -> Layout:
        return Layout(self.size, self.chunk)


def write_attachment(attachment: Attachment) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "id": attachment.id,
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "chunk": attachment.chunk,
        "digest": attachment.digest,
        "key": encode(attachment.key),
    }


def read_attachment(fields: Fields) -> Attachment:
    """Read every field, or raise `Malformed` naming the first that is wrong."""
    form = fields.text("format")
    if form != FORMAT:
        raise fields.wrong("format", FORMAT, form)
    chunk = fields.integer("chunk", least=LEAST_CHUNK, most=MOST_CHUNK)
    if chunk & (chunk - 1):
        raise fields.wrong("chunk", "a power of two", chunk)
    return Attachment(
        id=fields.text("id", form=DIGEST),
        name=fields.text("name", longest=LONGEST_NAME),
        media_type=fields.text("media_type", form=MEDIA_TYPE),
        size=fields.integer("size", least=0, most=MOST_BYTES),
        chunk=chunk,
        digest=fields.text("digest", form=DIGEST),
        key=fields.binary("key", length=KEY_BYTES),
    )
