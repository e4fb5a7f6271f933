"""Checks the expected rows of SQL cases against DuckDB.

A case that says `-- duckdb: QUERY` (`-- duckdb TABLE: QUERY` for the rows of `-- expect TABLE`; the query goes on in the lines below that begin
with `--   `) gets its tables, with the rows of its inputs, in a DuckDB database; the query must give the expected rows. Besides their columns the
tables have `_split` and `_i`, the row's number in its split, both from 0. Windows are spelled with the macros below, sizes in seconds.

    python tests/sql_cases/check_with_duckdb.py                # all
    python tests/sql_cases/check_with_duckdb.py tests/sql/hop  # those below a folder
"""

import collections
import datetime
import decimal
import json
import pathlib
import re
import sys

import duckdb

ROOT = pathlib.Path(__file__).resolve().parents[1] / "sql"

MACROS = """
CREATE MACRO tumble_start(ts, size, off := 0) AS make_timestamp(CAST(epoch_us(ts) -
  (((epoch_us(ts) - off * 1000000) % (size * 1000000::BIGINT)) + size * 1000000::BIGINT) % (size * 1000000::BIGINT) AS BIGINT));
CREATE MACRO hop_starts(ts, slide, size, off := 0) AS list_filter(
  list_transform(range(0, CAST(ceil(size / slide) AS BIGINT)), lambda i: tumble_start(ts, slide, off) - to_seconds(i * slide)),
  lambda s: s + to_seconds(size) > ts);
CREATE MACRO cumulate_ends(ts, step, size, off := 0) AS list_filter(
  list_transform(range(1, CAST(size / step AS BIGINT) + 1), lambda i: tumble_start(ts, size, off) + to_seconds(i * step)),
  lambda e: e > ts);
"""

Case = collections.namedtuple("Case", "path tables inputs queries expects")


def read_case(path):
    tables, inputs, queries, expects = {}, {}, {}, {}
    script, target, query = [], None, None
    for line in pathlib.Path(path).read_text().splitlines():
        if query is not None and line.startswith("--   "):
            queries[query] += "\n" + line[5:]
            continue
        query = None
        found = re.match(r"-- duckdb(?: (\w+))?: (.*)", line)
        if found:
            query = found.group(1) or ""
            queries[query] = found.group(2)
        elif re.match(r"-- (input|split|expect|error|rejected|only)\b", line):
            words = line.split()[1:]
            target = None
            if words[0] == "input":
                splits = inputs.setdefault(words[1], [])
                splits.append([])
                target = splits[-1]
            elif words[0] == "split":
                splits.append([])
                target = splits[-1]
            elif words[0] == "expect":
                names = [word for word in words[1:] if word not in ("ordered", "changelog")]
                target = expects.setdefault(names[0] if names else "", [])
        elif target is not None and re.match(r"\{|[+-][IUD] \{", line):
            target.append(line)
        else:
            target = None
            if not line.startswith("--"):
                script.append(line)
    for name, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\)\s*WITH \(", "\n".join(script), re.S):
        tables[name] = columns_of(body)
    return Case(path, tables, inputs, queries, expects)


def columns_of(body):
    parts, depth, part = [], 0, ""
    for c in body:
        depth += (c in "(<") - (c in ")>")
        if c == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += c
    columns = []
    for part in [*parts, part]:
        name, kind = part.split(None, 1)
        if name in ("WATERMARK", "PRIMARY") or kind.startswith("AS "):
            continue
        columns.append((name.strip("`"), duckdb_type(re.sub(r"NOT NULL", "", kind).strip())))
    return columns


def duckdb_type(kind):
    array = re.fullmatch(r"ARRAY<(.*)>", kind)
    if array:
        return duckdb_type(array.group(1)) + "[]"
    if re.match(r"TIMESTAMP", kind):
        return "TIMESTAMP"
    return {"STRING": "VARCHAR", "INT": "INTEGER"}.get(kind, kind)


def parse_rows(lines):
    """What remains when changes are applied."""
    counts = collections.Counter()
    for line in lines:
        kind, text = ("+I", line) if line.startswith("{") else line.split(" ", 1)
        counts[text] += -1 if kind[0] == "-" else 1
    rows = []
    for text, count in counts.items():
        if count < 0:
            raise ValueError(f"{text} is taken back {-count} times too often")
        rows += [json.loads(text, parse_float=decimal.Decimal)] * count
    return rows


def canonical(value, is_float):
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        value = str(value)
    if isinstance(value, str):
        if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+", value):
            return value.rstrip("0").rstrip(".")
        return value
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float, decimal.Decimal)):
        value = decimal.Decimal(f"{float(value):.12g}") if is_float else decimal.Decimal(value)
        return "0" if value == 0 else format(value.normalize(), "f")
    if isinstance(value, (list, tuple)):
        return tuple(canonical(item, is_float) for item in value)
    if isinstance(value, dict):
        return tuple(sorted((key, canonical(item, is_float)) for key, item in value.items()))
    raise TypeError(f"{type(value)} in a result")


def database_of(case):
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    for statement in MACROS.split(";")[:-1]:
        database.execute(statement)
    for name, columns in case.tables.items():
        declared = ", ".join(f'"{column}" {kind}' for column, kind in columns)
        database.execute(f"CREATE TABLE {name} ({declared}, _split INTEGER, _i INTEGER)")
        values = ", ".join(f"CAST(? AS {kind})" for _, kind in columns)
        for number, split in enumerate(case.inputs.get(name, [])):
            for i, line in enumerate(split):
                row = json.loads(line, parse_float=decimal.Decimal)
                cells = [row.get(column) for column, _ in columns]
                database.execute(f"INSERT INTO {name} VALUES ({values}, ?, ?)", [*cells, number, i])
    return database


def differences(case, target):
    """Lines that say what DuckDB gives and the case does not, and the reverse."""
    cursor = database_of(case).execute(case.queries[target])
    names = [column[0] for column in cursor.description]
    floats = {column[0] for column in cursor.description if str(column[1]) in ("DOUBLE", "FLOAT", "DOUBLE[]")}

    def cells(row):
        return tuple((name, canonical(row[name], name in floats)) for name in names)

    ours = collections.Counter()
    for row in parse_rows(case.expects[target]):
        if set(row) != set(names):
            return [f"columns {sorted(row)}, of DuckDB {sorted(names)}"]
        ours[cells(row)] += 1
    theirs = collections.Counter(cells(dict(zip(names, row))) for row in cursor.fetchall())
    lines = [f"only in DuckDB: {dict(row)}" for row in (theirs - ours).elements()]
    return lines + [f"only in the case: {dict(row)}" for row in (ours - theirs).elements()]


def find_cases(folder=ROOT):
    """Cases with a query for DuckDB."""
    folder = pathlib.Path(folder)
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*.sql"))
    return [case for case in map(read_case, paths) if case.queries]


def main():
    cases = [case for folder in sys.argv[1:] or [ROOT] for case in find_cases(folder)]
    failed = 0
    for case in cases:
        for target in case.queries:
            try:
                lines = differences(case, target)
            except (duckdb.Error, ValueError, KeyError, TypeError) as error:
                lines = [f"{type(error).__name__}: {error}"]
            failed += bool(lines)
            for line in lines:
                print(f"{case.path}: {line}")
    print(f"{len(cases)} cases, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
