import pytest

from adapters.hl7.errors import Hl7FormatError, PathError
from adapters.hl7.view import HL7_NOTATION, MessageView, open_message
from tests.unit.hl7.samples import DFT


def test_a_view_reads_values_with_positions_and_its_groups_likewise() -> None:
    view = open_message(DFT.encode())
    charge_date, patient = MessageView.compile("FT1-4"), MessageView.compile("PID-3.1")
    assert view.position == "MSH"
    assert charge_date(view) == [("20260801", "FT1[1]-4"), ("20260802", "FT1[2]-4")]
    charges = view.groups("FT1")
    assert [charge.position for charge in charges] == ["FT1[1]", "FT1[2]"]
    assert [charge_date(charge) for charge in charges] == [[("20260801", "FT1[1]-4")], [("20260802", "FT1[2]-4")]]
    assert patient(charges[1]) == [("12345", "PID-3.1")]
    assert [procedure.position for procedure in charges[0].groups("PR1")] == ["PR1"]
    assert charges[1].groups("PR1") == []


def test_an_explicit_null_is_no_value_to_a_mapping() -> None:
    view = open_message(DFT.replace("DOE^JANE", '""').encode())
    assert MessageView.compile("PID-5")(view) == []


def test_the_notation_opens_bytes_and_compiles_paths() -> None:
    assert HL7_NOTATION.name == "hl7"
    assert HL7_NOTATION.open_message is not None
    view = HL7_NOTATION.open_message(DFT.replace("DOE", "MÜLLER").encode("cp1252"), "cp1252")
    assert HL7_NOTATION.compile("PID-5.1")(view) == [("MÜLLER", "PID-5.1")]
    with pytest.raises(PathError):
        HL7_NOTATION.compile("Patient.name")
    with pytest.raises(Hl7FormatError):
        open_message(b"not a message")
