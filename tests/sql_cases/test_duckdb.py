"""The expected rows of SQL cases are also what DuckDB gives."""

import pathlib
import sys

import pytest

pytest.importorskip("duckdb")
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_with_duckdb  # noqa: E402

CASES = check_with_duckdb.find_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.path.relative_to(check_with_duckdb.ROOT)))
def test_expected_rows_are_what_duckdb_gives(case):
    for target in case.queries:
        assert check_with_duckdb.differences(case, target) == []


def test_a_wrong_row_is_noticed(tmp_path):
    path = tmp_path / "wrong.sql"
    path.write_text(
        "CREATE TABLE t (a INT) WITH ('connector' = 'rows');\n-- input t\n{\"a\": 1}\n\nSELECT a FROM t;\n"
        '-- duckdb: SELECT a FROM t\n\n-- expect\n{"a": 2}\n'
    )
    case = check_with_duckdb.read_case(path)
    assert len(check_with_duckdb.differences(case, "")) == 2
