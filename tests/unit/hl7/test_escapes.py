import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7.escapes import DEFAULT_SEPARATORS, Separators, escape, unescape

SEPARATOR_SETS = st.lists(st.sampled_from("|^~\\&#!@%*$/;:+=_"), min_size=6, max_size=6, unique=True).map(
    lambda characters: Separators(*characters)
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r"A\F\B\S\C\T\D\R\E\E\F", "A|B^C&D~E\\F"),
        (r"one\.br\two", "one\ntwo"),
        (r"\.sp2\x\.sk3\y", "\n\nx   y"),
        (r"\H\loud\N\ quiet", "loud quiet"),
        (r"\X41\ and \X0D0A\ end", "A and \r\n end"),
        (r"\XC3A9\ ", "é "),
        (r"\.in+4\indented", "indented"),
        (r"\Zvendor\ kept", r"\Zvendor\ kept"),
        (r"\C2842\ kept", r"\C2842\ kept"),
        (r"C:\temp", r"C:\temp"),
        (r"C:\temp\file", r"C:\temp\file"),
        (r"a\\b", r"a\\b"),
        (r"\XZZ\ and \X4\ ", r"\XZZ\ and \X4\ "),
        (r"\XFF\ ", r"\XFF\ "),
        (r"unfinished \F", r"unfinished \F"),
        (r"\.sp999\ ", r"\.sp999\ "),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_an_escape_is_read_as_its_value_and_what_is_none_stays_as_written(written: str, value: str) -> None:
    assert unescape(written) == value


def test_hex_is_read_in_the_character_set_of_the_message() -> None:
    assert unescape(r"\XE9\ ", charset="iso8859-1") == "é "


def test_the_truncation_character_has_its_own_escape() -> None:
    separators = Separators(truncation="#")
    assert escape("a#b", separators) == r"a\P\b"
    assert unescape(r"a\P\b", separators) == "a#b"


def test_separators_without_an_escape_character_read_everything_as_written_and_refuse_to_write_structure() -> None:
    separators = Separators(escape="", subcomponent="")
    assert unescape(r"A\F\B", separators) == r"A\F\B"
    assert escape("plain & simple", separators) == "plain & simple"
    with pytest.raises(ValueError, match="escape character"):
        escape("a|b", separators)


@given(st.text(), SEPARATOR_SETS)
def test_any_value_comes_back_from_its_escaped_form(value: str, separators: Separators) -> None:
    assert unescape(escape(value, separators), separators) == value


@given(st.text(), SEPARATOR_SETS)
def test_no_escaped_value_can_be_taken_for_structure(value: str, separators: Separators) -> None:
    written = escape(value, separators)
    structural = {separators.field, separators.component, separators.repetition, separators.subcomponent, "\r", "\n"}
    assert not structural & set(written)


@given(st.text())
def test_reading_escapes_never_fails(text: str) -> None:
    assert isinstance(unescape(text, DEFAULT_SEPARATORS), str)
