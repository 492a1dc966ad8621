"""`docs/checking_a_derivation.md`: its outputs are those of today, its catalogue is the table of causes."""

import re

import pytest

from glassmax.doctor.mistakes import causes as programs
from glassmax.proofreading.mistakes.causes import CAUSES, SHARED
from tests.proofreading.write_page import DERIVATION, OUTPUT, PAGE, catalogue, derivation_before, written

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_outputs_and_the_catalogue_are_those_of_today():
    assert written() == TEXT, "run: python -m tests.proofreading.write_page"


def test_the_page_has_a_wrong_derivation_and_the_same_without_mistakes():
    first, second, *_ = [found[3] for found in OUTPUT.finditer(TEXT)]
    assert first.count("  wrong: ") == 4
    assert first.count("  indices only: ") == 1
    assert "wrong" not in second
    assert "not read" not in second


def test_each_line_that_the_page_explains_has_the_verdict_that_it_explains():
    explained = re.findall(r"^- \*\*Line (\d+)\*\*", TEXT, re.M)
    output = next(OUTPUT.finditer(TEXT))
    judged = [number for number in explained if re.search(rf"^line {number} ", output[3], re.M)]
    assert explained == judged
    wrong = re.findall(r"^line (\d+) .*(?:\n {9}.*)?  (?:wrong|indices only): ", output[3], re.M)
    assert {*wrong} <= {*explained}


def test_an_output_belongs_to_the_derivation_before_it():
    *_, last = OUTPUT.finditer(TEXT)
    assert derivation_before(TEXT, last.start()) in [found[1] for found in DERIVATION.finditer(TEXT)]


@pytest.mark.parametrize("name", [*CAUSES, *SHARED])
def test_every_cause_is_documented_with_a_sentence(name):
    meaning = CAUSES.get(name) or programs.CAUSES[name].means
    assert meaning.endswith(".")
    assert f"| `{name}` | {meaning} |" in catalogue()


def test_no_cause_is_in_both_tables():
    assert not {*CAUSES} & {*programs.CAUSES}
    assert {*SHARED} <= {*programs.CAUSES}
