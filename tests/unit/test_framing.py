import csv
import io

import pytest

from huaxiang.landing.framing import Dialect, frame_csv, frame_lines, read_header, to_utf8
from huaxiang.landing.jsonlines import sort_objects


def framed(text: str | bytes, fields: int = 3, **dialect):
    """Records, and (line, reason) of what was refused, of a drop without a header."""
    data = to_utf8(text.encode() if isinstance(text, str) else text, dialect.get("encoding", "utf-8"))
    frames = frame_csv(data, Dialect(**dialect), fields)
    return [one.decode() for one in frames.good], [(one.line_number, one.reason) for one in frames.refused]


def test_a_line_is_a_record():
    assert framed("1,a,x\n2,b,y\n") == (["1,a,x", "2,b,y"], [])


@pytest.mark.parametrize(
    "text", ["1,a,x\r\n2,b,y\r\n", "1,a,x\n2,b,y", "\n1,a,x\n\n\n2,b,y\n\r\n", "\ufeff1,a,x\n2,b,y\n"]
)
def test_line_ends_blank_lines_and_a_byte_order_mark_are_no_records(text):
    assert framed(text) == (["1,a,x", "2,b,y"], [])


def test_blank_lines_count_as_lines():
    assert framed("1,a,x\n\n2,b\n") == (["1,a,x"], [(3, "FIELDS")])


def test_a_record_with_too_few_or_too_many_fields_is_refused_alone():
    assert framed("1,a\n2,b,y\n3,c,z,?\n") == (["2,b,y"], [(1, "FIELDS"), (3, "FIELDS")])


def test_quotes_hold_delimiters_line_ends_and_quotes():
    good, refused = framed('1,"a,b",x\n2,"two\nlines",y\n3,"so ""called""",z\n')

    assert refused == []
    assert good == ['1,"a,b",x', '2,"two\nlines",y', '3,"so ""called""",z']


def test_a_record_after_an_embedded_line_end_knows_its_line():
    frames = frame_csv(b'1,"a\nb\nc",x\n2,b,y\n', Dialect(), 3)

    assert list(frames.numbers) == [1, 2]
    assert list(frames.lines) == [1, 4]


def test_one_unterminated_quote_in_a_thousand_lines_costs_one_record():
    lines = [f"{number},name {number},x" for number in range(1, 1001)]
    lines[51] = '52,"name 52,x'

    good, refused = framed("\n".join(lines) + "\n")

    assert refused == [(52, "UNTERMINATED_QUOTE")]
    assert good == lines[:51] + lines[52:]


def test_an_unterminated_quote_does_not_close_at_the_quote_of_a_later_record():
    good, refused = framed('1,"a,x\n2,"b",y\n3,"c",z\n')

    assert refused == [(1, "UNTERMINATED_QUOTE")]
    assert good == ['2,"b",y', '3,"c",z']


def test_every_line_with_an_unterminated_quote_is_refused_alone():
    good, refused = framed("".join(f'{number},"a,x\n' if number % 2 else f"{number},a,x\n" for number in range(1, 7)))

    assert refused == [(1, "UNTERMINATED_QUOTE"), (3, "UNTERMINATED_QUOTE"), (5, "UNTERMINATED_QUOTE")]
    assert good == ["2,a,x", "4,a,x", "6,a,x"]


def test_a_quoted_record_with_other_fields_is_refused_for_its_fields():
    assert framed('1,"a"\n2,"b",y\n') == (['2,"b",y'], [(1, "FIELDS")])


def test_a_quote_inside_a_field_that_is_not_quoted_is_refused():
    text = '1,a 5" pipe,x\n2,"b"b,y\n3,c,z\n'

    assert framed(text) == (["3,c,z"], [(1, "QUOTE"), (2, "QUOTE")])


def test_without_a_quote_character_quotes_are_ordinary():
    assert framed('1,5" pipe,x\n2,"b,y\n', quote="") == (['1,5" pipe,x', '2,"b,y'], [])


def test_another_quote_character_and_delimiter():
    assert framed("1;'a;b';x\n2;\"b;y\n", delimiter=";", quote="'") == (["1;'a;b';x", '2;"b;y'], [])


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_the_last_record_may_be_quoted_and_unended(ending):
    assert framed(f'1,a,"x"{ending}') == (['1,a,"x"'], [])


def test_a_record_that_never_ends_is_refused_at_its_first_line():
    good, refused = framed('1,a,"x' + "y" * (5 * 2**20) + '\n2,"b",y\n')

    assert (good, refused) == (['2,"b",y'], [(1, "TOO_LONG")])


def test_a_stray_carriage_return_is_refused():
    assert framed("1,a\rb,x\n2,b,y\n") == (["2,b,y"], [(1, "FIELDS")])
    assert framed('1,a\rb,"x"\n2,b,y\n') == (["2,b,y"], [(1, "FIELDS")])


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("cp1252", ";"), ("gbk", ","), ("gb18030", "|"), ("big5", "|"), ("shift_jis", "|")]
)
def test_encodings_are_decoded_before_fields_are_counted(encoding, delimiter):
    # In GBK, Big5 and Shift-JIS the second byte of a character can be a bar: 瓅 is 0xAD 0x7C in GB 18030.
    words = {"cp1252": "Käse", "gbk": "茶叶", "gb18030": "瓅瓅", "big5": "瓊", "shift_jis": "ソ"}
    text = delimiter.join(["1", words[encoding], "x"])

    assert framed((text + "\n").encode(encoding), encoding=encoding, delimiter=delimiter) == ([text], [])


def test_bytes_that_are_no_text_cost_one_record():
    assert framed(b"1,a,x\n2,\xff\xfe,y\n3,c,z\n") == (["1,a,x", "3,c,z"], [(2, "ENCODING")])
    assert framed(b"1;a;x\n2;\x81;y\n3;c;z\n", encoding="cp1252", delimiter=";") == (
        ["1;a;x", "3;c;z"],
        [(2, "ENCODING")],
    )
    assert framed("1,茶,x\n2,".encode("gbk") + b"\x81\n3,c,z\n", 3, encoding="gbk") == (
        ["1,茶,x", "3,c,z"],
        [(2, "ENCODING")],
    )
    assert framed(b"1,a\0,x\n2,b,y\n") == (["2,b,y"], [(1, "ENCODING")])


def test_a_refused_record_keeps_its_text_but_its_detail_holds_no_value():
    refused = frame_csv(b"1,secret\n", Dialect(), 3).refused[0]

    assert refused.raw_text == "1,secret"
    assert refused.detail == "2 fields where the header has 3"


def test_a_header_may_be_quoted_and_come_after_blank_lines():
    header = read_header(b'\r\n"Bon-Nr", Datum ,"a ""b"""\r\n1,2,3\r\n', Dialect())

    assert header.names == ("Bon-Nr", "Datum", 'a "b"')
    assert header.line_number == 3


@pytest.mark.parametrize("data", [b"", b"\n\n", b'a,"b\n1,2\n', b"\xff\xfe\n"])
def test_a_header_that_cannot_be_read_is_none(data):
    assert read_header(data, Dialect()) is None


def test_json_lines_that_are_not_one_object_are_refused():
    frames, keys = sort_objects(
        frame_lines(b'{"a": 1}\n\n{"a": 1\n[1]\n{"b": NaN}\n{"b": "\\ud800"}\n \r\n{"b": 2}\r\n')
    )

    assert [(one.line_number, one.reason) for one in frames.refused] == [
        (3, "JSON"),
        (4, "JSON"),
        (5, "JSON"),
        (6, "JSON"),
    ]
    assert frames.good == [b'{"a": 1}', b'{"b": 2}']
    assert keys == {"a", "b"}


@pytest.mark.parametrize("seed", range(5))
def test_on_whole_files_another_reader_counts_the_same_records(seed):
    import random

    chance = random.Random(seed)
    parts = ["a", "b,", '"', "\n", "\r\n", "茶", " ", ""]
    rows = [["".join(chance.choices(parts, k=4)) for _ in range(3)] for _ in range(500)]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)

    frames = frame_csv(text.getvalue().encode(), Dialect(), 3)

    read = [next(csv.reader(io.StringIO(one.decode(), newline=""))) for one in frames.good]
    assert frames.refused == []
    assert read == [row for row in rows]
