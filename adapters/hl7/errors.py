"""What can be wrong with HL7 v2 bytes or with a path into them. Texts carry places and reasons, never values."""

from __future__ import annotations

from gateway.errors import FormatError


class Hl7FormatError(FormatError):
    """These bytes are not an HL7 v2 message."""

    def __init__(self, message: str = "", *, reason: str = "not-hl7", byte_position: int = 0) -> None:
        self.reason = reason
        self.byte_position = byte_position
        super().__init__(message or (self.__doc__ or ""), f"byte {byte_position}")


class CharsetError(Hl7FormatError):
    """The message cannot be read in its declared character set; set the source's fallback character set."""


class PathError(ValueError):
    """This is not a path such as PID-3.1, PID-3[2].1, PID-3[5=MR].1, FT1[2]-4 or NTE-3.*"""
