"""An oversight body's witness, on its own: C2SP tlog-witness over HTTP, a status page, and the proof of its word."""

from comity.entrypoints.witness.app import create_witness_app
from comity.entrypoints.witness.serve import serve_witness

__all__ = ["create_witness_app", "serve_witness"]
