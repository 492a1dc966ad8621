"""How the tests hand a learner's program to the doctor: as a function, or as the arrays that it gives."""

import glassmax as gm
from tests.doctor import programs
from tests.doctor.setups import SETUPS, moved


def given(program, sizes=None, l2=None, loss=None):
    """The network or the parameters, X and y that a program is about, with another network where a case needs one."""
    arguments = SETUPS[program]()
    if "network" in arguments and (sizes or l2 is not None or loss):
        net = arguments["network"]
        arguments["network"] = moved(
            gm.Network(
                sizes or net.layer_sizes,
                activation=net.activations[0],
                output=net.head.output,
                loss=loss or net.head.loss,
                l2=net.l2 if l2 is None else l2,
            )
        )
    return arguments


def consult(program, changes=(), *, arrays=False, declared=True, own_loss=False, **other):
    """Diagnose a program with some of its lines changed."""
    names = programs.program(getattr(programs, program), *changes)
    arguments = given(program, **other)
    X, y = arguments.pop("X"), arguments.pop("y")
    handed = names["gradients"]
    if arrays:
        parameters = arguments["parameters"] if "parameters" in arguments else dict(arguments["network"].parameters)
        handed = handed(parameters, X.copy(), y.copy())
    if own_loss or "parameters" in arguments:
        arguments["loss"] = names["loss"]
    elif declared:
        arguments["loss"] = "network"
    return gm.diagnose(handed, X, y, **arguments)


def named(diagnosis):
    """Every cause that a diagnosis names, those that it can't tell apart included."""
    return {*diagnosis.causes} | {cause for finding in diagnosis.findings for cause in finding.indistinguishable}
