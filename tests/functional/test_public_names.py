"""What `glassmax.functional` shows of itself: its public names, each with its home."""

import inspect

from glassmax import functional


def test_dir_shows_the_public_names():
    assert dir(functional) == sorted(functional.__all__)


def test_the_public_names_are_the_tables_their_records_and_functions():
    others = {name for name in functional.__all__ if not inspect.isfunction(getattr(functional, name))}
    assert others == {"ACTIVATIONS", "Activation", "LOSSES", "Loss"}
    functions = [getattr(functional, name) for name in functional.__all__ if name not in others]
    assert all(f.__module__.startswith("glassmax.functional.") for f in functions)


def test_a_function_hides_the_module_of_its_name():
    for name in ("affine", "softmax", "relu", "cross_entropy", "l2"):
        assert inspect.isfunction(getattr(functional, name))


def test_the_prompt_shows_a_loss_by_what_its_target_means():
    assert repr(functional.LOSSES["cross_entropy"]) == "<loss of classes: rows, dP, second>"
