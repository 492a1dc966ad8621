"""The causes on paper: one row for each name that the doctor for programs does not have.

A mistake that a program can have too keeps the name of `doctor.mistakes.causes`. The documentation lists both tables.
"""

from ...doctor.mistakes import causes as programs

__all__ = ["CAUSES", "SHARED", "meaning"]

CAUSES = {
    "index_on_one_side": "An index stands on one side of the equation only.",
    "index_missing": "An array stands without its index in a formula of entries.",
    "two_letters_for_one": "A sum is over one letter, and its terms have another.",
    "summed_letter_free": "A summed letter is used as a free one, or a free letter as a summed one.",
    "wrong_index": "A quantity has the letter of another index.",
    "delta_wrong_pair": "The Kronecker delta compares the wrong pair of letters.",
    "delta_missing": "A 1 stands where the Kronecker delta belongs.",
    "stray_delta": "The Kronecker delta stands where 1 belongs.",
    "stray_sum": "A sum stands where one term belongs.",
    "sum_missing": "A sum is left out.",
    "case_counted_twice": "A case stands beside a sum that has it too.",
    "case_missing": "A case is left out of a sum, and stands nowhere else.",
    "cases_exchanged": "The values of two cases are exchanged, or a case has the wrong condition.",
    "sum_of_squares": "The squares are summed where the sum is squared, or the reverse.",
    "function_of_sum": "A function of the terms stands for the function of their sum, or the reverse.",
    "logarithm_half_done": "The derivative of a logarithm is half done: 1/u or the derivative of u is missing.",
    "reciprocal": "A quantity stands where its reciprocal belongs, or the reverse.",
    "chain_rule": "The chain rule is half done: the derivative of what is inside is missing.",
    "quotient_rule": "The denominator of the quotient rule has the wrong power.",
    "exponent": "A power has the wrong exponent.",
    "brackets": "Brackets are missing, or stand where none belong.",
    "function_for_derivative": "A function stands where its derivative belongs.",
    "derivative_for_function": "The derivative of a function stands where the function belongs.",
    "wrong_variable": "The derivative is taken with respect to the wrong variable.",
    "component_for_vector": "A vector or a matrix is equated with one of its components.",
    "order_of_factors": "The factors of a matrix product stand in the wrong order.",
    "matrix_product_for_elementwise": "A matrix product stands where the elementwise product belongs.",
    "outer_product": "A product of two vectors must be an outer product.",
    "factor_missing": "A factor is missing.",
    "stray_factor": "A factor is one too many.",
    "factor_twice": "A factor is multiplied in twice.",
    "term_missing": "A term is missing.",
    "stray_term": "A term is one too many.",
    "bias_missing": "The bias is missing.",
    "shapes": "The shapes of two arrays do not fit.",
    "not_diagonal": "A vector stands where a diagonal matrix belongs.",
    "right_by_symmetry": "The letters of a derivative are exchanged, and only the symmetry of the Jacobian hides it.",
    "right_for_sizes": "The line holds only for special sizes: a square matrix, one sample, two classes.",
}
"""Each further cause with one sentence, in the order of the documentation."""

SHARED = (
    "sign",
    "factor",
    "transposed",
    "elementwise_product",
    "jacobian_diagonal_only",
    "jacobian_rows_summed",
    "activation_missing",
    "activation_of_a",
    "regulariser_missing",
    "wrong_layer",
    "wrong_operand",
    "in_place",
    programs.NOT_IN_CATALOGUE,
)
"""The causes of the doctor for programs that a derivation can have too."""


def meaning(cause: str) -> str:
    """Return the sentence of a cause, whichever table has it.

    Examples
    --------
    >>> meaning("stray_sum")
    'A sum stands where one term belongs.'
    """
    return CAUSES[cause] if cause in CAUSES else programs.CAUSES[cause].means
