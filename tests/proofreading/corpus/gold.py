"""The wrong lines of each derivation, with the causes that name the mistake; all other lines are right."""

GOLD: dict[str, dict[int, set[str]]] = {
    "array_alignment.md": {},
    "autoencoder_tied.md": {
        7: {"term_missing", "not_in_catalogue"},
    },
    "backprop_index_slips.md": {
        5: {"wrong_index", "transposed", "index_on_one_side"},
        7: {"sum_missing", "index_on_one_side", "summed_letter_free"},
    },
    "batch_softmax_regression.md": {},
    "batch_twice_the_mean.md": {
        8: {"factor", "factor_twice", "stray_factor"},
    },
    "bendersky_shorthand.md": {},
    "bernoulli.txt": {},
    "bias_forgotten.md": {
        5: {"bias_missing", "term_missing"},
    },
    "bilinear.md": {},
    "binary_quotient_slip.txt": {
        3: {"quotient_rule", "exponent"},
        5: {"sign"},
    },
    "binary_with_logits.txt": {},
    "bishop_activation_slip.tex": {
        15: {"activation_of_a", "wrong_operand"},
    },
    "bishop_backpropagation.md": {},
    "bishop_layers_by_letter.md": {},
    "bishop_layers_by_letter_slip.md": {
        11: {"transposed", "wrong_index"},
    },
    "bishop_softmax_regression.md": {},
    "bold_vectors.tex": {},
    "bold_vectors_slips.tex": {
        8: {"transposed", "order_of_factors", "outer_product"},
        9: {"transposed", "shapes", "order_of_factors"},
    },
    "bullet_steps.txt": {},
    "bullet_steps_slips.txt": {
        4: {"sum_missing", "index_on_one_side", "summed_letter_free"},
        5: {"factor_missing", "stray_factor", "factor"},
    },
    "case_in_brackets.md": {},
    "chain_by_entries.md": {
        7: {"stray_sum", "summed_letter_free"},
        9: {"two_letters_for_one", "summed_letter_free", "index_on_one_side", "wrong_index"},
    },
    "chain_of_three.md": {
        5: {"activation_of_a", "wrong_operand"},
    },
    "class_label_form.md": {},
    "colored_answer.md": {},
    "colored_answer_slip.md": {
        4: {"activation_of_a", "wrong_operand"},
    },
    "component_for_vector.md": {
        4: {"component_for_vector"},
    },
    "contrastive.txt": {},
    "cosine.md": {},
    "cost_over_batch.md": {},
    "coursera_linear_regression.md": {},
    "coursera_regularized.md": {
        3: {"factor", "factor_missing", "regulariser_factor", "regulariser_scaled", "penalty_not_divided"},
    },
    "course_code_names.md": {},
    "course_code_names_slip.md": {
        9: {"factor", "regulariser_factor", "regulariser_scaled"},
    },
    "course_for_one_example.md": {},
    "course_for_one_example_slip.md": {
        8: {"sign"},
    },
    "course_general_layer.md": {},
    "course_general_layer_slips.md": {
        7: {"matrix_product_for_elementwise", "shapes"},
        10: {"transposed", "shapes"},
    },
    "course_logistic_vectorized.md": {},
    "course_one_example.md": {},
    "course_two_layers_cost.md": {},
    "course_two_layers_cost_slips.md": {
        7: {"sign"},
        11: {"factor", "factor_missing"},
    },
    "cross_entropy_logits.md": {},
    "cross_entropy_two_slips.md": {
        7: {"logarithm_half_done"},
        21: {"case_counted_twice", "stray_term", "summed_letter_free", "wrong_operand"},
    },
    "cs224n_one_hidden_layer.md": {},
    "cs231n_numpy_slips.md": {
        11: {"transposed", "order_of_factors", "shapes"},
        12: {"transposed", "shapes", "wrong_index", "bias_axis", "not_in_catalogue"},
    },
    "cs231n_softmax_loss.md": {},
    "d_notation.md": {},
    "delta_pairs.md": {
        5: {"delta_wrong_pair"},
    },
    "dense_layer_entries.md": {},
    "dense_layer_entries_slips.md": {
        3: {"wrong_index", "transposed"},
        5: {"stray_sum", "summed_letter_free"},
    },
    "dense_layer_framework.md": {},
    "delta_rule.md": {},
    "delta_rule_slips.md": {
        6: {"transposed", "wrong_index"},
        8: {"wrong_index", "summed_letter_free"},
    },
    "derivative_by_wrong_letter.md": {
        3: {"wrong_variable", "wrong_operand"},
    },
    "dropout_of_one_over_n.txt": {
        6: {"factor", "factor_missing"},
    },
    "elements_of_statistical_learning.md": {},
    "elu.md": {},
    "entropy_slip.tex": {
        6: {"term_missing", "logarithm_half_done", "not_in_catalogue"},
    },
    "expanded_quotient.txt": {},
    "exponential_family_mean.md": {},
    "feature_scaling.md": {},
    "feature_scaling_slip.md": {
        5: {"sign"},
    },
    "gaussian_likelihood.md": {},
    "gaussian_output.md": {},
    "gaussian_sign.md": {
        3: {"sign"},
    },
    "gelu_sigmoid.txt": {},
    "generalized_softmax_right.tex": {},
    "gradient_notes_vectors.md": {},
    "gradient_set_to_zero.md": {},
    "grouped_braces.md": {},
    "hadamard_for_product.md": {
        5: {"elementwise_product", "shapes"},
    },
    "hessian_of_logistic_regression.tex": {},
    "hessian_of_softmax.md": {},
    "hessian_slips.tex": {
        5: {"sign"},
        6: {"wrong_index", "index_on_one_side"},
    },
    "hinge_prose.md": {
        3: {"sign"},
    },
    "html_entities.md": {},
    "huber.md": {},
    "index_exchange.md": {},
    "index_exchange_slip.md": {
        3: {"delta_wrong_pair", "index_on_one_side", "wrong_index"},
        7: {"sum_missing", "index_on_one_side", "summed_letter_free"},
    },
    "jacobian_vector_product.md": {},
    "karpathy_products.md": {},
    "karpathy_sigmoid.md": {},
    "kl_divergence.md": {},
    "label_smoothing.md": {},
    "layer_notation_scalar.txt": {},
    "layer_notation_scalar_slips.txt": {
        8: {"wrong_layer", "wrong_operand"},
        10: {"factor_missing"},
    },
    "leaky_relu.md": {},
    "learning_rate_update.txt": {
        6: {"sign"},
    },
    "least_squares_matrix.md": {},
    "least_squares_transposed.md": {
        5: {"transposed", "order_of_factors", "shapes"},
        11: {"factor"},
    },
    "letters_k_and_l.md": {},
    "linear_regression_lost_mean.md": {
        7: {"factor", "factor_missing"},
    },
    "linear_regression_scalars.txt": {},
    "log_derivative_trick.md": {},
    "log_derivative_trick_slips.md": {
        5: {"factor_missing", "activation_missing", "factor", "stray_factor"},
        7: {"wrong_index", "summed_letter_free"},
    },
    "log_loss_base_case.txt": {
        5: {"sign"},
    },
    "log_softmax.txt": {},
    "log_softmax_wrong_index.txt": {
        4: {"wrong_index"},
        7: {"wrong_index", "index_on_one_side", "summed_letter_free", "factor_missing"},
    },
    "log_sum_exp.md": {},
    "log_sum_exp_free_letter.md": {
        3: {"stray_sum", "summed_letter_free"},
        7: {"delta_missing", "jacobian_diagonal_only"},
    },
    "logistic_matrix.md": {},
    "logistic_matrix_order.md": {
        3: {"transposed", "order_of_factors", "shapes"},
    },
    "logistic_regression_cs229.tex": {},
    "logistic_regression_slips.tex": {
        9: {"sign"},
        14: {"wrong_operand", "factor_missing", "not_in_catalogue", "sign"},
    },
    "loss_by_name_slip.md": {
        7: {"activation_of_a"},
    },
    "lost_half.md": {
        3: {"factor", "stray_factor"},
    },
    "mazur_slips.txt": {
        5: {"sign"},
        9: {"factor_missing", "activation_missing", "function_for_derivative", "wrong_operand", "not_in_catalogue"},
    },
    "mazur_step_by_step.txt": {},
    "mean_over_classes.md": {},
    "mean_over_classes_diagonal.md": {
        5: {"jacobian_diagonal_only", "sum_missing", "delta_missing", "not_in_catalogue"},
    },
    "mean_squared_error_layer.md": {},
    "missing_definitions.md": {},
    "mitchell_backpropagation.md": {},
    "momentum_update.md": {
        7: {"sign"},
    },
    "mse_vector.txt": {},
    "mse_vector_slips.txt": {
        5: {"factor", "regulariser_missing", "regulariser_factor", "factor_missing"},
        6: {"sign"},
    },
    "multinomial_likelihood.tex": {},
    "murphy_logistic.tex": {},
    "murphy_logistic_slips.tex": {
        9: {"factor", "factor_missing"},
    },
    "nested_functions.txt": {},
    "nested_functions_slips.txt": {
        2: {"activation_of_a", "wrong_operand", "not_in_catalogue", "function_for_derivative"},
        5: {"not_in_catalogue", "term_missing", "function_for_derivative", "derivative_for_function"},
    },
    "newcommands.tex": {},
    "newcommands_slips.tex": {
        6: {"wrong_index"},
        8: {"sum_of_squares", "exponent", "not_in_catalogue", "function_of_sum"},
    },
    "ng_slips.md": {
        10: {"transposed", "shapes", "order_of_factors"},
        11: {"transposed", "shapes"},
    },
    "ng_two_layers.md": {},
    "nielsen_cross_entropy.md": {},
    "nielsen_equations.md": {},
    "nielsen_learning_slowdown.md": {},
    "nielsen_proof.md": {},
    "nielsen_proof_slips.md": {
        5: {"wrong_index", "transposed"},
        7: {"wrong_layer"},
    },
    "nielsen_sum_over_samples.md": {},
    "nielsen_sum_over_samples_slip.md": {
        7: {"factor_missing", "factor", "stray_factor"},
    },
    "nielsen_two_slips.md": {
        3: {"transposed", "order_of_factors"},
        7: {"wrong_layer"},
    },
    "normalized_vector.md": {},
    "numpy_two_layers.md": {},
    "numpy_two_layers_slips.md": {
        7: {"factor"},
        9: {"activation_of_a", "wrong_operand"},
    },
    "operators_in_front.txt": {},
    "outer_for_product.tex": {
        5: {"outer_product", "transposed", "shapes", "component_for_vector"},
    },
    "parr_howard.md": {},
    "partial_subscript.txt": {},
    "poisson_regression.md": {},
    "power_of_sum.md": {},
    "power_of_sum_slip.md": {
        3: {"sum_of_squares", "exponent", "not_in_catalogue", "function_of_sum", "quotient_rule"},
    },
    "probability_by_name.md": {},
    "prose_only_inline.md": {},
    "prose_only_inline_slips.md": {
        2: {"sign"},
        4: {"wrong_operand", "wrong_variable"},
    },
    "quadratic_form.md": {},
    "quadratic_form_slip.md": {},
    "question_and_answer.md": {
        3: {"jacobian_diagonal_only", "sum_missing", "case_missing", "term_missing", "not_in_catalogue"},
    },
    "recurrent_biases.md": {},
    "recurrent_biases_slip.md": {
        9: {"wrong_layer", "wrong_operand", "wrong_index", "not_in_catalogue"},
    },
    "recurrent_step.md": {},
    "relu_by_cases.md": {},
    "relu_network.txt": {},
    "relu_network_slip.txt": {
        9: {"activation_missing", "wrong_operand", "factor_missing"},
    },
    "ridge.md": {},
    "ridge_forgotten_factor.md": {
        7: {"factor", "regulariser_missing", "regulariser_factor"},
    },
    "roelants_cross_entropy.md": {},
    "row_convention_mlp.md": {},
    "row_convention_slips.md": {
        5: {"activation_of_a", "wrong_operand", "not_in_catalogue"},
        7: {"order_of_factors", "transposed", "shapes"},
    },
    "sigmoid_by_logarithm.txt": {},
    "sigmoid_derivative.txt": {},
    "sigmoid_derivative_slips.txt": {
        6: {"sign"},
        11: {"factor", "factor_missing"},
    },
    "softmax_by_cases.md": {},
    "softmax_by_cases_sign.md": {
        16: {"sign"},
    },
    "softmax_jacobian_row_sums.md": {
        11: {"jacobian_rows_summed", "stray_term", "term_missing", "not_in_catalogue"},
    },
    "softmax_two_classes.md": {},
    "softmax_two_classes_slips.md": {
        3: {"quotient_rule", "exponent"},
        7: {"sign"},
    },
    "softplus.txt": {},
    "stackexchange_lost_case.md": {
        6: {"sign"},
        8: {"case_missing", "sum_missing", "term_missing"},
    },
    "stackexchange_over.md": {},
    "steps_of_gradient.md": {},
    "steps_with_reasons.tex": {},
    "steps_with_reasons_slip.tex": {
        6: {"sign"},
    },
    "sum_of_squares.md": {
        3: {"sum_of_squares"},
    },
    "svm_scores.md": {},
    "swish_product_rule.txt": {
        4: {"factor_missing"},
    },
    "table_of_derivatives.md": {},
    "tanh_derivative.md": {},
    "tanh_quotient_slip.md": {
        3: {"quotient_rule", "exponent", "sum_of_squares", "not_in_catalogue"},
    },
    "targets_swapped.md": {
        3: {"wrong_operand", "reciprocal"},
        5: {"sign", "wrong_operand"},
    },
    "temperature.md": {
        3: {"factor", "factor_missing"},
    },
    "three_blue_one_brown.md": {},
    "three_layers_recursion.md": {},
    "three_layers_slips.md": {
        3: {"wrong_layer"},
        7: {"wrong_layer"},
    },
    "three_scalars.md": {},
    "three_scalars_slip.txt": {
        7: {"wrong_variable", "wrong_operand"},
        11: {"wrong_operand", "wrong_variable"},
    },
    "trace.md": {},
    "twice_divided.txt": {
        8: {"factor", "stray_factor", "factor_twice", "not_in_catalogue"},
    },
    "two_examples_slip.md": {
        5: {"order_of_factors", "shapes", "transposed"},
    },
    "two_examples_vectorized.md": {},
    "two_layer_numpy.txt": {},
    "two_layer_sigmoid_slips.md": {
        7: {"activation_missing", "factor_missing"},
        9: {"activation_of_a", "wrong_operand"},
    },
    "two_layer_squared_error.md": {},
    "two_sections.md": {},
    "ufldl_backprop.md": {},
    "ufldl_softmax.md": {},
    "unicode_softmax.txt": {},
    "unicode_two_slips.txt": {
        4: {"reciprocal", "logarithm_half_done"},
        6: {"delta_missing", "jacobian_diagonal_only"},
    },
    "units_of_layers.md": {},
    "units_of_layers_slip.md": {
        11: {"wrong_index", "transposed"},
    },
    "weighted_least_squares.tex": {
        8: {"factor", "factor_missing"},
    },
    "whole_jacobian.md": {},
    "whole_jacobian_diagonal.md": {
        3: {"term_missing", "jacobian_diagonal_only", "not_in_catalogue"},
        5: {"jacobian_diagonal_only", "not_diagonal", "term_missing"},
    },
    "wikipedia_backpropagation.md": {},
    "wikipedia_deltas.md": {},
    "without_sum_to_one.txt": {},
    "word2vec.md": {},
}
