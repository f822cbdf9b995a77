import pytest

from adapters.mapping.yaml_reader import Items, Nothing, Place, Problems, Table, Text, nearest, read_yaml


def read(text: str | bytes) -> tuple[Table | None, list[str]]:
    problems = Problems()
    content = text.encode() if isinstance(text, str) else text
    return read_yaml("a.yaml", content, problems), problems.lines()


@pytest.mark.parametrize(
    "written", ["0450", "NO", "no", "1e5", "2026-08-03", "1_000", "0x1F", "on", "Null", "12:30:45"]
)
def test_every_scalar_stays_the_text_it_was_written_as(written: str) -> None:
    table, problems = read(f"a: {written}\n")
    assert problems == []
    assert table is not None
    assert table.entries["a"] == Text(Place("a.yaml", 1, 4), written)


@pytest.mark.parametrize("written", ["", "~", "null", '""', "''", '"  "'])
def test_no_value_is_nothing_rather_than_text(written: str) -> None:
    table, _ = read(f"a: {written}\n")
    assert table is not None
    assert isinstance(table.entries["a"], Nothing)


def test_a_quoted_null_is_text() -> None:
    table, _ = read('a: "null"\n')
    assert table is not None
    assert Text(Place("a.yaml", 1, 4), "null") == table.entries["a"]


def test_every_node_knows_its_line_and_column() -> None:
    table, _ = read("top:\n  - one\n  - {two: 2}\n")
    assert table is not None
    items = table.entries["top"]
    assert isinstance(items, Items)
    assert [node.place for node in items.nodes] == [Place("a.yaml", 2, 5), Place("a.yaml", 3, 5)]


def test_a_duplicate_key_names_the_line_of_the_first() -> None:
    assert ["a.yaml:3:1: key 'a' is already there in line 1"] == read("a: 1\nb: 2\na: 3\n")[1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "a: [1",
            "a.yaml:1:6: is not YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'",
        ),
        (b"a: ok\nb: \xff\n", "a.yaml:2:4: is not UTF-8 text; save the file as UTF-8"),
        ("", "a.yaml:1:1: holds nothing; expected a mapping of keys to values"),
        ("# nothing\n", "a.yaml:1:1: holds nothing; expected a mapping of keys to values"),
        ("- a\n", "a.yaml:1:1: should be a mapping of keys to values at the top"),
        ("? [a]\n: 1\n", "a.yaml:1:3: a key must be a word, not a list or a mapping"),
        (
            "a: &x 1\nb: *x\n",
            "a.yaml:1:4: anchors (&) and aliases (*) are not used in mapping files; write the value out",
        ),
        ("a: !!python/object:os.system 1\n", "a.yaml:1:4: tags (!) are not used in mapping files: every value is text"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str | bytes, problem: str) -> None:
    assert read(text)[1][0].startswith(problem)


def test_a_file_of_endless_nesting_is_refused_and_not_followed() -> None:
    _, problems = read("a: " + "[" * 60 + "]" * 60)
    assert any("nested more than 40 deep" in problem for problem in problems)


def test_an_expanding_alias_is_refused_at_its_first_anchor() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30)]
    _, problems = read("\n".join(lines))
    assert problems[0].startswith("a.yaml:1:5: anchors")


def test_a_file_too_large_to_be_meant_is_not_parsed() -> None:
    _, problems = read(b"a: " + b"x" * (8 * 1024 * 1024))
    assert ["a.yaml:1:1: is larger than 8 MB"] == problems


def test_crlf_and_a_byte_order_mark_are_as_good_as_none() -> None:
    table, problems = read(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert problems == []
    assert table is not None
    assert list(table.entries) == ["a", "b"]


def test_problems_come_in_the_order_of_their_places_and_once_each() -> None:
    problems = Problems()
    problems.add(Place("b.yaml", 1), "x")
    problems.add(Place("a.yaml", 10), "late")
    problems.add(Place("a.yaml", 9), "early")
    problems.add(Place("a.yaml", 9), "early")
    assert ["a.yaml:9:1: early", "a.yaml:10:1: late", "b.yaml:1:1: x"] == list(problems)


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("hcpsc", ["hcpcs", "revenue_code"], "; did you mean 'hcpcs'?"),
        ("php", ["PHP", "IOP"], "; did you mean 'PHP'?"),
        ("zzz", ["PHP", "IOP"], "; expected one of 'PHP', 'IOP'"),
        ("zzz", [], ""),
    ],
)
def test_the_nearest_right_name_is_offered(word: str, known: list[str], hint: str) -> None:
    assert hint == nearest(word, known)
