"""The learners' programs as they stand: all are right, and the doctor says so in whatever style."""

import pytest

import glassmax as gm
from tests.doctor import programs
from tests.doctor.setups import SETUPS


@pytest.mark.parametrize("name", SETUPS)
def test_a_right_program_is_called_right(name):
    names = programs.program(getattr(programs, name))
    given = SETUPS[name]()
    own = {"loss": names["loss"]} if "parameters" in given else {"loss": "network"}
    diagnosis = gm.diagnose(names["gradients"], given.pop("X"), given.pop("y"), **own, **given)
    assert diagnosis.verdict == "correct", str(diagnosis)
    assert diagnosis.findings == ()


@pytest.mark.parametrize("name", SETUPS)
def test_the_arrays_of_a_right_program_are_called_right(name):
    names = programs.program(getattr(programs, name))
    given = SETUPS[name]()
    X, y = given.pop("X"), given.pop("y")
    own = {"loss": names["loss"]} if "parameters" in given else {"loss": "network"}
    parameters = given["parameters"] if "parameters" in given else dict(given["network"].parameters)
    arrays = names["gradients"](parameters, X.copy(), y.copy())
    diagnosis = gm.diagnose(arrays, X, y, **own, **given)
    assert diagnosis.verdict == "correct", str(diagnosis)
