"""The error tree. Every error says what was expected, what was got, and what to do next.

Network, trust and input failures never share a class. `code` is stable: programs may match on it.
`exit_status` is what a command ends with, `http_status` what an HTTP surface answers (problem+json).
"""

from typing import ClassVar, Self


class ComityError(Exception):
    """Root of the tree. `where` names the file and line, message or record that is wrong.

    `expected` and `got` are the two halves of `problem`, where it was said in that form (`because`).
    """

    code: ClassVar[str] = "comity"
    remedy: ClassVar[str] = "Report this with the node's log; nothing was changed."
    exit_status: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, problem: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(f"{where}: {problem}" if where else problem)
        self.problem = problem
        self.where = where
        self.next_step = remedy or self.remedy
        self.expected = ""
        self.got = ""

    @classmethod
    def because(cls, *, expected: str, got: str, where: str = "", remedy: str = "") -> Self:
        """The usual form: expected …, got …."""
        error = cls(f"expected {expected}, got {got}", where=where, remedy=remedy)
        error.expected, error.got = expected, got
        return error


class InputError(ComityError):
    """Something a person or a program gave us breaks its contract."""

    code = "input"
    remedy = "Correct the input and try again; nothing was changed."
    exit_status = 2
    http_status = 400


class NotFound(InputError):
    """A named case, request, hold, node or file does not exist here."""

    code = "not-found"
    remedy = "List what there is (for example `comity case list DIR`) and name one of those."
    http_status = 404


class Conflict(InputError):
    """The thing exists but is in a state that does not allow this."""

    code = "conflict"
    remedy = "Look at its present state first; nothing was changed."
    http_status = 409


class TrustError(ComityError):
    """A signature, key, certificate, proof or register entry does not hold."""

    code = "trust"
    remedy = "Do not act on this. Compare keys with the sender over another channel and keep the message."
    exit_status = 3
    http_status = 403


class Forbidden(ComityError):
    """The law, the procedure or the node's own policy does not allow this person to do this."""

    code = "forbidden"
    remedy = "Ask somebody who holds the role that may do this."
    exit_status = 4
    http_status = 403
    policies: tuple[str, ...] = ()
    """The ids of the access policies that denied it, where it was they (`node.policy`)."""


class NetworkError(ComityError):
    """A peer could not be reached or did not answer in time. Trying again is safe."""

    code = "network"
    remedy = "Nothing is lost: delivery is tried again by itself."
    exit_status = 5
    http_status = 502


class StorageError(ComityError):
    """The disk or the database refused. What was in progress was rolled back."""

    code = "storage"
    remedy = "Free space or mend the disk, then start the node again; it continues where it was."
    exit_status = 6
    http_status = 507
