"""Fetch files of a register from a member's mirror, over the same pinned connection as everything else."""

from comity.backends.courier import PeerCourier
from comity.errors import NetworkError, TrustError
from comity.exchange import Member
from comity.exchange.register.bundle import MAX_FILE


class RegisterCourier(PeerCourier):
    def register_file(self, member: Member, path: str) -> bytes | None:
        """The content at `path` (`/peer/register/…`), None for 404; `NetworkError` if neither came."""
        try:
            status, _, content = self._exchange("GET", member, path, None, "", most=MAX_FILE)
        except TrustError as error:  # an address that may not be connected to: as good as not there
            raise NetworkError(str(error)) from error
        if status not in {200, 404}:
            raise NetworkError(f"{member.id} answered {status} for {path}")
        return content if status == 200 else None
