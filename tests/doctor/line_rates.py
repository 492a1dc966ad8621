"""How often the doctor names the wrong line and its cause, in programs written in many styles.

Run ``python -m tests.doctor.line_rates`` for the rates and each program that was answered wrongly; with names of
programs, for those alone.
"""

import contextlib
import io
import itertools
import sys
import tempfile
import time
import warnings
from pathlib import Path

from glassmax.doctor import diagnose_file
from glassmax.learner.loaded_file import LearnerFile, Stage
from tests.doctor.line_faults import DOUBLES, PROGRAMS, SINGLES, source


def diagnosed(program, faults=()):
    """Return the diagnosis of a program, the lines that may be named for each fault, and the seconds."""
    text, lines = source(program, faults)
    judged = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{program}.py"
        path.write_text(text, encoding="utf-8")
        plain = diagnose_file.plain_diagnosis
        own, argv = list(sys.path), list(sys.argv)
        try:
            file = LearnerFile(str(path), {}, Stage(Path(folder) / "stage"))
            diagnose_file.plain_diagnosis = lambda diagnosis: judged.append(diagnosis) or {}
            started = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                diagnose_file._diagnosed(file, 5.0, lambda *known: None)
                seconds = time.perf_counter() - started
                _ = judged[-1].annotated if not faults else None
        finally:
            diagnose_file.plain_diagnosis = plain
            sys.path[:], sys.argv[:] = own, argv
            for name in (program, f"learner_{program}"):
                sys.modules.pop(name, None)
    return judged[-1], lines, seconds


def named(diagnosis):
    """The lines and the causes of the findings, in order."""
    return [
        ({finding.line_number, *(n for n, *_ in finding.other_lines)}, finding.cause) for finding in diagnosis.findings
    ]


def judge_single(diagnosis, fault, lines):
    """Whether the first line and its cause are right."""
    found = named(diagnosis)
    if fault.causes == "none":
        return (diagnosis.correct, diagnosis.correct)
    first_line = getattr(diagnosis, "first_wrong_line", 0) or (min(found[0][0]) if found else 0)
    return (first_line in lines, bool(found) and found[0][1] in fault.causes.split("|"))


def judge_double(diagnosis, faults, lines):
    """Whether the first line named is one of the two, and both causes are named."""
    found = named(diagnosis)
    first_line = getattr(diagnosis, "first_wrong_line", 0) or (min(found[0][0]) if found else 0)
    causes = [cause for _, cause in found]
    wanted = [fault.causes.split("|") for fault in faults]
    both = any(a in wanted[0] and b in wanted[1] for a, b in itertools.permutations(causes, 2))
    return (first_line in lines[0] | lines[1], both)


def cases(only=()):
    """Yield programs with their faults: none, one or two."""
    for program in only or PROGRAMS:
        yield program, ()
        yield from ((program, (fault,)) for fault in SINGLES.get(program, ()))
        yield from ((program, faults) for faults in DOUBLES.get(program, ()))


def answers(program, faults):
    """Return which of the questions that a case asks were answered rightly, the diagnosis, the lines, the seconds."""
    diagnosis, lines, seconds = diagnosed(program, faults)
    if not faults:
        told = {"no false alarm": diagnosis.verdict == "correct"}
    elif len(faults) == 1:
        told = dict(zip(("line", "cause"), judge_single(diagnosis, faults[0], lines[0]), strict=True))
    else:
        told = dict(zip(("first of two", "both causes"), judge_double(diagnosis, faults, lines), strict=True))
    return told, diagnosis, lines, seconds


def main(only):
    rates, spent = {}, []
    for program, faults in cases(only):
        told, diagnosis, lines, seconds = answers(program, faults)
        spent.append(seconds)
        for question, right in told.items():
            rates.setdefault(question, []).append(right)
        if not all(told.values()):
            wanted = [(sorted(at), fault.causes) for fault, at in zip(faults, lines, strict=True)]
            print(f"-- {program}: {' and '.join(repr(fault.new.strip()) for fault in faults)}")
            print(f"   wanted {wanted}, got {named(diagnosis)}")
    for question, right in rates.items():
        print(f"{question:15} {sum(right)}/{len(right)} = {sum(right) / len(right):.0%}")
    print(f"seconds: {sum(spent):.1f} in all, {max(spent):.2f} the longest")


if __name__ == "__main__":
    main(sys.argv[1:])
