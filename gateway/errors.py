"""What is wrong with the world, as opposed to a claim: raised, with its docstring as the default message."""

from __future__ import annotations

import re
from typing import ClassVar


class GatewayError(Exception):
    """Something outside a claim is wrong."""

    retryable: ClassVar[bool] = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())

    @property
    def kind(self) -> str:
        """Its stable name for programs: ``NotAllowed`` is ``not-allowed``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()


class FormatError(GatewayError):
    """The bytes are not what they should be. ``place`` says where: path, line or segment."""

    def __init__(self, message: str = "", place: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.place = place


class NoAnswer(FormatError):
    """A returned file holds no answer to a claim: it is a report in the partner's own words, and kept as that."""


class FileTooLarge(FormatError):
    """The file would hold more bytes than its receiver takes."""


class ConfigurationError(GatewayError):
    """The configuration does not hold. ``problems`` lists every one: ``file:line:column: what, what was expected``."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NotAllowed(GatewayError):
    """The command is not allowed in this state, or not to this role."""


class NotFound(GatewayError):
    """There is nothing by that name."""


class NotKnown(GatewayError):
    """What is asked for by name is none of the names there are."""


class Conflict(GatewayError):
    """Somebody else changed it first; read it again."""


class Unavailable(GatewayError):
    """Something we need does not answer; nothing was lost, try again."""

    retryable: ClassVar[bool] = True


class Throttled(Unavailable):
    """Something we need asks us to come back later; ``after_s`` says in how many seconds at the earliest."""

    def __init__(self, message: str, after_s: float) -> None:
        super().__init__(message)
        self.after_s = after_s


class NotSent(GatewayError):
    """The file provably never reached the partner; it may be sent again as it is."""

    retryable: ClassVar[bool] = True


class DeliveryUnknown(GatewayError):
    """Whether the file reached the partner is not known; it is probed, never simply sent again."""


class PartnerPaused(GatewayError):
    """The partner refused us in a way that trying again makes worse: credentials or host key. A person must look."""


def innermost_place(error: BaseException) -> str:
    """``file:line`` at which an exception was raised: what may be told of one whose text may hold a patient's data."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
