import duckdb

from huaxiang.release.content_hash import content_hash


def write(path, rows):
    duckdb.execute(f"copy (select * from (values {rows}) as t(name, amount)) to '{path}' (format parquet)")
    return path


def test_the_order_of_rows_does_not_matter(tmp_path):
    one = write(tmp_path / "one.parquet", "('a', 1.5::double), ('b', 2)")
    other = write(tmp_path / "other.parquet", "('b', 2::double), ('a', 1.5)")
    assert content_hash(one) == content_hash(other)


def test_a_changed_value_changes_the_hash(tmp_path):
    one = write(tmp_path / "one.parquet", "('a', 1.5::double), ('b', 2)")
    other = write(tmp_path / "other.parquet", "('a', 1.5::double), ('b', 2.00001)")
    assert content_hash(one) != content_hash(other)


def test_floats_count_up_to_six_decimals_and_minus_zero_is_zero(tmp_path):
    one = write(tmp_path / "one.parquet", "('a', 1.5::double), ('b', 0.0)")
    other = write(tmp_path / "other.parquet", "('a', 1.50000000001::double), ('b', -0.0)")
    assert content_hash(one) == content_hash(other)


def test_two_equal_rows_do_not_cancel_out(tmp_path):
    one = write(tmp_path / "one.parquet", "('a', 1::double), ('a', 1)")
    other = write(tmp_path / "other.parquet", "('b', 1::double), ('b', 1)")
    assert content_hash(one) != content_hash(other)


def test_null_is_not_the_empty_text(tmp_path):
    one = write(tmp_path / "one.parquet", "(null, 1::double)")
    other = write(tmp_path / "other.parquet", "('', 1::double)")
    assert content_hash(one) != content_hash(other)


def test_a_value_that_moves_to_the_next_column_changes_the_hash(tmp_path):
    paths = []
    for name, values in (("one", "('ab', 'c')"), ("other", "('a', 'bc')")):
        paths.append(tmp_path / f"{name}.parquet")
        duckdb.execute(f"copy (select * from (values {values}) as t(x, y)) to '{paths[-1]}' (format parquet)")
    assert content_hash(paths[0]) != content_hash(paths[1])
