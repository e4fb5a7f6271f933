"""The repository's own checks: each must find what it is there to find."""

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run_check(script, *arguments):
    done = subprocess.run([sys.executable, ROOT / "scripts" / script, *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def tree(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_include_of_a_lower_room_is_fine(tmp_path):
    root = tree(tmp_path, {"base/a.h": "#pragma once\n", "sql/b.h": '#include "base/a.h"\n#include <vector>\n'})
    assert run_check("check_includes.py", root)[0] == 0


def test_include_that_goes_up_is_named_with_its_line(tmp_path):
    root = tree(tmp_path, {"base/a.cc": '\n#include "sql/b.h"\n', "sql/b.h": ""})
    code, output = run_check("check_includes.py", root)
    assert code == 1
    assert "src/base/a.cc:2: base must not include sql" in output


def test_unknown_quoted_include_is_refused(tmp_path):
    code, output = run_check("check_includes.py", tree(tmp_path, {"base/a.cc": '#include "gone.h"\n'}))
    assert code == 1 and "src/base/a.cc:1" in output


def test_headers_in_a_circle_are_refused(tmp_path):
    root = tree(tmp_path, {"log/a.h": '#include "log/b.h"\n', "log/b.h": '#include "log/a.h"\n'})
    code, output = run_check("check_includes.py", root)
    assert code == 1 and "log/a.h -> log/b.h -> log/a.h" in output


def test_folders_in_a_circle_are_refused(tmp_path):
    root = tree(tmp_path, {
        "exec/a.h": '#include "exec/lower/b.h"\n', "exec/lower/b.h": "", "exec/lower/c.h": '#include "exec/d.h"\n',
        "exec/d.h": ""})
    code, output = run_check("check_includes.py", root)
    assert code == 1 and "folders include one another: exec -> exec/lower -> exec" in output


def test_internal_folder_belongs_to_its_room(tmp_path):
    root = tree(tmp_path, {
        "exec/a.h": '#include "exec/internal/b.h"\n', "exec/internal/b.h": '#include "exec/c.h"\n', "exec/c.h": ""})
    assert run_check("check_includes.py", root)[0] == 0


def test_heavy_library_in_a_header_is_refused(tmp_path):
    files = {"server/a.h": "#include <boost/asio.hpp>\n", "server/a.cc": "#include <boost/asio.hpp>\n"}
    code, output = run_check("check_includes.py", tree(tmp_path, files))
    assert code == 1 and "src/server/a.h:1" in output and "a.cc" not in output


def test_long_file_and_empty_name_are_refused(tmp_path):
    root = tree(tmp_path, {
        "src/base/long.cc": "//\n" * 601, "src/base/string_utils.h": "#pragma once\n", "src/base/bare.h": "\n",
        "src/base/fine.cc": "//\n" * 600})
    code, output = run_check("check_style.py", root)
    assert code == 1
    assert "long.cc:600: 601 lines" in output and "string_utils.h" in output and "bare.h:1" in output
    assert "fine.cc" not in output


def test_rooms_are_listed_alike_in_cmake_and_in_the_include_check():
    listed = re.findall(r"^tidemill_room\((\w+)", (ROOT / "CMakeLists.txt").read_text(), re.M)
    checked = re.search(r"^ROOMS = \[(.*)\]", (ROOT / "scripts/check_includes.py").read_text(), re.M)[1]
    assert listed == re.findall(r'"(\w+)"', checked)


def test_arrow_keeps_the_libraries_inside_it_to_itself():
    deps = subprocess.run([ROOT / "scripts/setup.sh", "--where"], capture_output=True, text=True, check=True).stdout.strip()
    for library, pattern in (("arrow_compute", "3re2"), ("parquet", "8simdjson"), ("parquet", "^EVP_")):
        code, output = run_check("hide_symbols.py", "--check", f"{deps}/arrow/lib/lib{library}.so", pattern)
        assert code == 0, output


def summary(tmp_path, ctest, **programs):
    files = {f"results/{name}.xml": text for name, text in programs.items()}
    tree(tmp_path, {"ctest.xml": ctest, **files})
    return run_check("test_summary.py", f"debug={tmp_path}/ctest.xml:{tmp_path}/results")


def test_summary_counts_cases_and_tells_why_one_was_skipped(tmp_path):
    code, output = summary(
        tmp_path, '<testsuite><testcase name="a_tests" status="fail"><failure/></testcase></testsuite>',
        a_tests='<testsuites><testsuite><testcase name="x" classname="A" status="run"/>'
                '<testcase name="y" classname="A" status="run"><failure/></testcase>'
                '<testcase name="z" classname="A" status="run"><skipped message="no disk"/></testcase>'
                "</testsuite></testsuites>")
    assert code == 1
    assert output.splitlines()[-1] == "1 passed, 1 failed, 1 skipped"
    assert "A.z (no disk)" in output and "FAILED   debug: a_tests: A.y" in output


def test_summary_does_not_miss_a_program_that_fails_after_its_cases_or_leaves_no_result(tmp_path):
    code, output = summary(
        tmp_path, '<testsuite><testcase name="a_tests" status="fail"/><testcase name="b_tests" status="fail"/>'
                  '<testcase name="c_tests" status="notrun"/><testcase name="check" status="run"/></testsuite>',
        a_tests='<testsuites><testsuite><testcase name="x" classname="A" status="run"/></testsuite></testsuites>')
    assert code == 1
    assert output.splitlines()[-1] == "2 passed, 3 failed, 0 skipped"


def test_summary_fails_when_a_stage_left_nothing(tmp_path):
    code, output = run_check("test_summary.py", f"pytest={tmp_path}/none.xml")
    assert code == 1 and output.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


def test_layout_that_is_not_clang_formats_is_named(tmp_path):
    root = tree(tmp_path, {"src/base/good.cc": "int x = 1;\n", "src/base/bad.cc": "int x = 1;\nint   y=2;\nint   z=2;\n"})
    (root / ".clang-format").write_text((ROOT / ".clang-format").read_text())
    code, output = run_check("check_format.py", root)
    if code == 77:
        pytest.skip(output.strip())
    assert code == 1
    assert output.splitlines() == ["src/base/bad.cc:2: not as clang-format lays it out", "check_format: 1 of 2 files: run make format"]
    (root / "src/base/bad.cc").write_text("int x = 1;\nint y = 2;\n")
    assert run_check("check_format.py", root)[0] == 0


def test_without_clang_format_layout_is_not_checked(tmp_path):
    done = subprocess.run([sys.executable, ROOT / "scripts" / "check_format.py"], capture_output=True, text=True, env={"PATH": str(tmp_path)})
    assert done.returncode == 77 and "skipped" in done.stdout
