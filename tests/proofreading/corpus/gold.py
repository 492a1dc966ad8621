"""The wrong lines of each derivation of the corpus: for each the causes that name its mistake; all other lines are right."""

GOLD: dict[str, dict[int, set[str]]] = {
    "backprop_index_slips.md": {
        5: {"wrong_index", "transposed", "index_on_one_side"},
        7: {"sum_missing", "index_on_one_side", "summed_letter_free"},
    },
    "batch_softmax_regression.md": {},
    "batch_twice_the_mean.md": {
        8: {"factor", "factor_twice", "stray_factor"},
    },
    "bernoulli.txt": {},
    "bishop_backpropagation.md": {},
    "bishop_softmax_regression.md": {},
    "class_label_form.md": {},
    "cross_entropy_logits.md": {},
    "cross_entropy_two_slips.md": {
        7: {"logarithm_half_done"},
        21: {"case_counted_twice", "stray_term", "summed_letter_free", "wrong_operand"},
    },
    "cs231n_softmax_loss.md": {},
    "d_notation.md": {},
    "gaussian_likelihood.md": {},
    "gaussian_sign.md": {
        3: {"sign"},
    },
    "hessian_of_logistic_regression.tex": {},
    "hessian_of_softmax.md": {},
    "hessian_slips.tex": {
        5: {"sign"},
        6: {"wrong_index", "index_on_one_side"},
    },
    "kl_divergence.md": {},
    "label_smoothing.md": {},
    "least_squares_matrix.md": {},
    "least_squares_transposed.md": {
        5: {"transposed", "order_of_factors", "shapes"},
        11: {"factor"},
    },
    "linear_regression_lost_mean.md": {
        7: {"factor", "factor_missing"},
    },
    "linear_regression_scalars.txt": {},
    "log_softmax.txt": {},
    "log_softmax_wrong_index.txt": {
        4: {"wrong_index"},
        7: {"wrong_index", "index_on_one_side", "summed_letter_free"},
    },
    "log_sum_exp.md": {},
    "log_sum_exp_free_letter.md": {
        3: {"stray_sum", "summed_letter_free"},
        7: {"delta_missing", "jacobian_diagonal_only"},
    },
    "logistic_regression_cs229.tex": {},
    "logistic_regression_slips.tex": {
        9: {"sign"},
        14: {"wrong_operand", "factor_missing", "not_in_catalogue", "sign"},
    },
    "mazur_slips.txt": {
        5: {"sign"},
        9: {"factor_missing", "activation_missing", "function_for_derivative", "wrong_operand", "not_in_catalogue"},
    },
    "mazur_step_by_step.txt": {},
    "momentum_update.md": {
        7: {"sign"},
    },
    "ng_slips.md": {
        10: {"transposed", "shapes", "order_of_factors"},
        11: {"transposed", "shapes"},
    },
    "ng_two_layers.md": {},
    "nielsen_cross_entropy.md": {},
    "nielsen_equations.md": {},
    "nielsen_learning_slowdown.md": {},
    "nielsen_two_slips.md": {
        3: {"transposed", "order_of_factors"},
        7: {"wrong_layer"},
    },
    "parr_howard.md": {},
    "poisson_regression.md": {},
    "quadratic_form.md": {},
    "quadratic_form_slip.md": {},
    "relu_by_cases.md": {},
    "ridge.md": {},
    "ridge_forgotten_factor.md": {
        7: {"factor", "regulariser_missing", "regulariser_factor"},
    },
    "sigmoid_derivative.txt": {},
    "sigmoid_derivative_slips.txt": {
        6: {"sign"},
        11: {"factor", "factor_missing"},
    },
    "softmax_by_cases.md": {},
    "softmax_by_cases_sign.md": {
        16: {"sign"},
    },
    "softplus.txt": {},
    "svm_scores.md": {},
    "swish_product_rule.txt": {
        4: {"factor_missing"},
    },
    "tanh_derivative.md": {},
    "tanh_quotient_slip.md": {
        3: {"quotient_rule", "exponent", "sum_of_squares", "not_in_catalogue"},
    },
    "temperature.md": {
        3: {"factor", "factor_missing"},
    },
    "three_scalars.md": {},
    "three_scalars_slip.txt": {
        7: {"wrong_variable", "wrong_operand"},
        11: {"wrong_operand", "wrong_variable"},
    },
    "two_layer_numpy.txt": {},
    "two_layer_sigmoid_slips.md": {
        7: {"activation_missing", "factor_missing"},
        9: {"activation_of_a", "wrong_operand"},
    },
    "two_layer_squared_error.md": {},
    "ufldl_softmax.md": {},
    "unicode_softmax.txt": {},
    "unicode_two_slips.txt": {
        4: {"reciprocal", "logarithm_half_done"},
        6: {"delta_missing", "jacobian_diagonal_only"},
    },
    "weighted_least_squares.tex": {
        8: {"factor", "factor_missing"},
    },
}
