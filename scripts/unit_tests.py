"""Runs the programs that ctest knows, and counts them.

    unit_tests.py BUILD [--quick] [--count-to FILE]

Prints one line per program, and the output of those that failed. --quick leaves out what carries the ctest
label "slow". FILE gets "PASSED FAILED".
"""
import argparse
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--count-to")
    options = parser.parse_args()

    report = os.path.abspath(os.path.join(options.build, "ctest.xml"))
    if os.path.exists(report):
        os.unlink(report)
    command = ["ctest", "--test-dir", options.build, "--output-junit", report, "-j", str(os.cpu_count()),
               "--timeout", "600", "--no-tests=error", "--quiet"]
    if options.quick:
        command += ["--label-exclude", "slow"]
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)

    passed = failed = 0
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name, seconds = case.get("name"), float(case.get("time") or 0)
        if case.get("status") == "run":
            passed += 1
            print(f"passed  {name} ({seconds:.1f} s)")
        else:
            failed += 1
            print(f"FAILED  {name} ({seconds:.1f} s)")
            print(case.findtext("system-out") or "")
    print(f"{passed} passed, {failed} failed")
    if options.count_to:
        with open(options.count_to, "w", encoding="ascii") as file:
            file.write(f"{passed} {failed}\n")
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
