"""What other nodes talk to: envelopes in, receipts out, and the witness protocol. Mutual TLS 1.3 only."""

from comity.entrypoints.peer.app import create_peer_app
from comity.entrypoints.peer.tls import PeerProtocol, keep_admitting, peer_config

__all__ = ["PeerProtocol", "create_peer_app", "keep_admitting", "peer_config"]
