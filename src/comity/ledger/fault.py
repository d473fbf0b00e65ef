"""What is wrong with a log: the first thing, by its file and its place. Pure."""

from dataclasses import dataclass

from comity.errors import TrustError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first thing that is wrong: in which file, and where in the log if it is one entry or one hash."""

    file: str
    index: int | None
    problem: str
    remedy: str = ""
    """What to do, if it is not what is to be done about any wrong log."""

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"


class LogWrong(TrustError):
    """A published log does not hold."""

    code = "ledger.log-wrong"
    remedy = (
        "Copy the directory as it is and keep the copy. "
        "If it is your own log, stop the node and restore the file; if not, ask its operator."
    )

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.problem, where=fault.file, remedy=fault.remedy)
        self.fault = fault


def wrong(file: str, problem: str, index: int | None = None, remedy: str = "") -> LogWrong:
    return LogWrong(Fault(file=file, index=index, problem=problem, remedy=remedy))
