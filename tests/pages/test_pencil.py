"""pencil.md: every number is glassmax's, follows from the numbers before it, and can't be changed unnoticed."""

import re

import pytest

from tests.pages.notation import name_of, with_last_digit_changed
from tests.pages.pencil import PENCIL, check_block, numbers_in, pencil_blocks


@pytest.mark.parametrize(("kind", "block"), pencil_blocks(), ids=lambda text: text.split(" ")[0].strip())
def test_every_number_of_the_pencil_page_is_glassmaxs_and_follows_from_the_numbers_before_it(kind, block):
    check_block(kind, block)


def test_the_pencil_page_shows_each_array_entry_by_entry_and_as_a_matrix():
    sums = {
        name_of(block.split(" ")[0]) for _, block in pencil_blocks() if "[i," in block or "[" in block.split(" ")[0]
    }
    pictures = {name_of(block.split(" ")[0]) for kind, block in pencil_blocks() if kind == "pencil" and "\n[" in block}
    backward = {"dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1", "jacobians"}
    assert sums >= backward | {"Z1", "A1", "Z2", "E", "S", "P", "losses", "dP", "W1", "b1", "W2", "b2"}
    assert pictures >= backward | {"Z1", "A1", "Z2", "E", "P"}


def test_a_change_in_the_last_digit_of_any_number_of_the_pencil_page_is_found():
    changed = 0
    for kind, block in pencil_blocks():
        for number in numbers_in(block):
            with pytest.raises((AssertionError, ValueError, SyntaxError)):
                check_block(kind, with_last_digit_changed(block, number))
            changed += 1
    assert changed > 500


def test_a_wrong_sign_factor_or_transpose_on_the_pencil_page_would_be_found():
    page = dict.fromkeys(block for kind, block in pencil_blocks() if kind == "pencil")
    for right, wrong in [
        ("dW2 = A1ᵀ dZ2", "dW2 = A1 dZ2"),
        ("dA1 = dZ2 W2ᵀ", "dA1 = dZ2 W2"),
        ("dZ2[i,m] = Σ_c dP[i,c]·J_i[c,m]", "dZ2[i,m] = Σ_c dP[i,c]·J_i[c,c]"),
        ("dW2[v,c] = A1[0,v]·dZ2[0,c]", "dW2[v,c] = A1[v,0]·dZ2[0,c]"),
        ("W1[u,v] - η·dW1", "W1[u,v] + η·dW1"),
        ("] ⊙ [", "] + ["),
    ]:
        block = next(block for block in page if right in block)
        with pytest.raises(AssertionError):
            check_block("pencil", block.replace(right, wrong))


def test_the_prose_of_the_pencil_page_has_no_number_that_is_not_checked():
    prose = re.sub(r"^```.*?^```", "", PENCIL, flags=re.S | re.M)
    assert re.findall(r"\d\.\d", prose) == []
