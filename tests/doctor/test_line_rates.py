"""The wrong line and its cause, in right programs, with one mistake and with two: how many are named."""

import pytest

from tests.doctor.line_rates import answers, cases

WANTED = {"no false alarm": 1.0, "line": 0.9, "cause": 0.95, "first of two": 0.9, "both causes": 0.9}


@pytest.mark.slow
def test_the_wrong_line_and_its_cause_are_named_in_programs_of_many_styles():
    rates = {}
    for program, faults in cases():
        for question, right in answers(program, faults)[0].items():
            rates.setdefault(question, []).append(right)
    found = {question: sum(right) / len(right) for question, right in rates.items()}
    assert {*found} == {*WANTED}
    assert all(found[question] >= least for question, least in WANTED.items()), found
