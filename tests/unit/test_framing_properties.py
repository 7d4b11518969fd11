"""Whatever is dropped, every record is accounted for; what is well written is read as Python's csv reads it."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from huaxiang.landing.framing import Dialect, frame_csv

DIALECT = Dialect(delimiter=",", quote='"')
FIELD = st.text(alphabet='ab,"\n é', max_size=5)
WRITTEN = st.lists(st.lists(FIELD, min_size=3, max_size=3), min_size=1, max_size=6)
# Where fields are empty or hold quotes, an open quote can happen to close in its place: then no one can tell.
PLAIN = st.lists(st.lists(st.text(alphabet="ab é", min_size=1, max_size=5), min_size=3, max_size=3), max_size=6)
ANY_BYTES = st.text(alphabet='a,"\n\r\0', max_size=60).map(str.encode) | st.binary(max_size=60)


def as_csv(rows) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


@given(WRITTEN)
def test_what_is_well_written_is_read_record_by_record(rows):
    frames = frame_csv(as_csv(rows), DIALECT, field_count=3)
    assert not frames.refused
    assert [next(csv.reader(io.StringIO(one.decode(), newline=""))) for one in frames.good] == rows


@given(ANY_BYTES)
def test_every_line_of_whatever_bytes_is_in_exactly_one_record(data):
    frames = frame_csv(data, DIALECT, field_count=3)
    numbers = [*frames.numbers, *(one.record_number for one in frames.refused)]
    assert sorted(numbers) == list(range(1, frames.count + 1))
    lines = [line for line in data.split(b"\n") if line.strip(b"\r")]
    assert (frames.count > 0) == (len(lines) > 0)
    assert frames.count <= len(lines)


@given(PLAIN, st.integers(min_value=0, max_value=5))
def test_one_record_with_an_open_quote_costs_one_record(rows, place):
    bad = b'"never closed,1,2\n'
    before, after = as_csv(rows[:place]), as_csv(rows[place:])
    frames = frame_csv(before + bad + after, DIALECT, field_count=3)
    assert [one.raw_text for one in frames.refused] == [bad.decode().rstrip()]
    assert len(frames.good) == len(rows)
