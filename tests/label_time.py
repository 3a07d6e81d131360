#!/usr/bin/env python3
"""Fails if the tests of a label took longer than they may, in seconds of a processor.

label_time.py <what ctest --output-junit wrote> <label> <seconds>
"""
import sys
from xml.etree import ElementTree


def has_label(case, label):
    labels = case.find("properties/property[@name='cmake_labels']")
    return labels is not None and label in labels.get("value").split(";")


def main(path, label, most):
    cases = [case for case in ElementTree.parse(path).iter("testcase") if has_label(case, label)]
    if not cases:
        return f"{path}: no test has the label {label}"
    seconds = sum(float(case.get("time")) for case in cases)
    print(f"tests of the label {label}: {seconds:.0f} seconds of at most {most}, {len(cases)} tests")
    if seconds <= float(most):
        return 0
    for case in sorted(cases, key=lambda case: -float(case.get("time")))[:5]:
        print(f"  {case.get('name')}: {float(case.get('time')):.0f} seconds")
    return f"the tests of the label {label} take too long"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
