"""The examples in the docstrings of the installed package, every one of them."""

import doctest
import importlib.util
import pkgutil

import pytest

import glassmax

MODULES = ["glassmax", *(module.name for module in pkgutil.walk_packages(glassmax.__path__, "glassmax."))]
AT_LEAST = 85
EXTRAS = {"glassmax.torch": "torch", "glassmax.jax": "jax"}
THERE = [name for name in MODULES if name not in EXTRAS or importlib.util.find_spec(EXTRAS[name])]


def examples_of(module):
    """Return the docstrings of a module that hold examples."""
    return [test for test in doctest.DocTestFinder().find(importlib.import_module(module), module) if test.examples]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_come_out_as_printed(module, monkeypatch, tmp_path):
    if module not in THERE:
        pytest.skip(f"{EXTRAS[module]} is not installed")
    monkeypatch.chdir(tmp_path)  # an example may write a file
    said = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in examples_of(module):
        runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_there_are_examples_and_none_is_left_out():
    found = [test for module in THERE for test in examples_of(module)]
    assert sum(len(test.examples) for test in found) >= AT_LEAST
    skipped = [
        f"{test.name}: {example.source}"
        for test in found
        for example in test.examples
        if example.options.get(doctest.SKIP)
    ]
    assert skipped == []


@pytest.mark.parametrize("name", ["Network", "SoftmaxClassifier", "Model"])
def test_every_public_class_shows_an_example(name):
    assert ">>>" in getattr(glassmax, name).__doc__
