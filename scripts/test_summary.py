#!/usr/bin/env python3
"""Adds up test results: prints failures, skips with their reasons, and as last line `N passed, N failed, N skipped`.

Usage: test_summary.py LABEL=CTEST_JUNIT:GTEST_XML_FOLDER ... [LABEL=PYTEST_JUNIT[+PYTEST_JUNIT_OF_A_SECOND_RUN] ...]

A program that ctest ran counts by the cases in its own GoogleTest file; one that left none (a check, a crash at start)
counts as one case. A program that ctest calls failed although all its cases passed (a leak found at exit, a crash in
tear-down) adds one failure. A file that was expected and is not there is a failure. Exits 1 when anything failed or
nothing ran. A Python test that failed and passed in the second run counts as passed and is named as FLAKY.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


class Tally:
    def __init__(self):
        self.passed, self.failures, self.skips, self.flaky = 0, [], [], []

    def add(self, name, failed, skipped, reason=""):
        if failed:
            self.failures.append(name)
        elif skipped:
            self.skips.append((name, " ".join(reason.split()) or "no reason given"))
        else:
            self.passed += 1


def add_gtest(tally, label, path):
    """Returns the number of failed cases, or None when the file can't be read."""
    try:
        tree = ElementTree.parse(path)
    except (OSError, ElementTree.ParseError):
        return None
    before = len(tally.failures)
    for case in tree.iter("testcase"):
        name = f"{label}: {path.stem}: {case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.get("status") == "notrun":
            tally.add(name, False, True, "disabled by its name")
        else:
            reason = (skipped.get("message") or skipped.text or "") if skipped is not None else ""
            tally.add(name, case.find("failure") is not None, skipped is not None, reason)
    return len(tally.failures) - before


def add_ctest(tally, label, junit, folder):
    for case in ElementTree.parse(junit).iter("testcase"):
        program = case.get("name")
        failed = case.get("status") in ("fail", "notrun") or case.find("failure") is not None
        in_cases = add_gtest(tally, label, folder / f"{program}.xml")
        if in_cases is None:
            skipped = case.find("skipped")
            tally.add(f"{label}: {program}", failed, skipped is not None,
                      skipped.get("message", "") if skipped is not None else "")
        elif failed and in_cases == 0:
            tally.add(f"{label}: {program}: failed outside its cases", True, False)


def has_failed(case):
    return case.find("failure") is not None or case.find("error") is not None


def failed_cases(junit):
    """How many cases of a pytest run failed."""
    return sum(map(has_failed, ElementTree.parse(junit).iter("testcase")))


def add_pytest(tally, label, junit, again):
    passed_again = set()
    if again and pathlib.Path(again).is_file():
        passed_again = {(case.get("classname"), case.get("name")) for case in ElementTree.parse(again).iter("testcase") if len(case) == 0}
    for case in ElementTree.parse(junit).iter("testcase"):
        skipped = case.find("skipped")
        failed = has_failed(case)
        name = f"{label}: {case.get('classname')}.{case.get('name')}"
        if failed and (case.get("classname"), case.get("name")) in passed_again:
            failed = False
            tally.flaky.append(name)
        tally.add(name, failed, skipped is not None, skipped.get("message", "") if skipped is not None else "")


def main(arguments):
    tally = Tally()
    for argument in arguments:
        label, _, place = argument.partition("=")
        junit, colon, folder = place.partition(":")
        junit, _, again = junit.partition("+")
        if not pathlib.Path(junit).is_file():
            tally.add(f"{label}: no results in {junit}", True, False)
        elif colon:
            add_ctest(tally, label, junit, pathlib.Path(folder))
        else:
            add_pytest(tally, label, junit, again)
    for name, reason in tally.skips:
        print(f"skipped  {name} ({reason})")
    for name in tally.flaky:
        print(f"FLAKY    {name} (failed, and passed when it ran again: see its failure above)")
    for name in tally.failures:
        print(f"FAILED   {name}")
    print(f"{tally.passed} passed, {len(tally.failures)} failed, {len(tally.skips)} skipped")
    return 1 if tally.failures or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
