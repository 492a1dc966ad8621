"""Time the gradient doctor on the learners' programs of ``tests/learners``, and count the answers that are right.

The tests hold each answer to what the program's case expects, and name those that are not right yet.
"""

import statistics
import sys

from record import HERE, table, write

sys.path.insert(0, str(HERE.parent))

from tests.learners.answering import answer, is_right
from tests.learners.programs import CASES

RIGHT = {
    "single": "the right cause first",
    "double": "both causes",
    "control": "not called wrong",
    "note": "correct, with float32 or the kink named",
    "misbehaving": "the right answer",
    "strange": "not in the catalogue",
}


def main():
    answer(CASES[0])  # the first call imports
    figures = {}
    for group in RIGHT:
        cases = [case for case in CASES if case.group == group]
        answers = [answer(case) for case in cases]
        seconds = [taken for _, taken in answers]
        figures[group] = {
            "cases": len(cases),
            "right": sum(is_right(case, diagnosis) for case, (diagnosis, _) in zip(cases, answers, strict=True)),
            "median_seconds": statistics.median(seconds),
            "most_seconds": max(seconds),
        }
    write("doctor", [], figures)
    rows = [
        [group, RIGHT[group], f"{one['right']} of {one['cases']}", f"{1e3 * one['median_seconds']:.0f}"]
        + [f"{1e3 * one['most_seconds']:.0f}"]
        for group, one in figures.items()
    ]
    table("Learners' programs and the doctor", ["", "wanted", "got it", "median ms", "most ms"], rows)


if __name__ == "__main__":
    main()
