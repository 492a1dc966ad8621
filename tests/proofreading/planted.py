"""Mistakes of paper planted into right lines: the definitions, the right line, the wrong line, its cause."""

SOFTMAX = """p_i = exp(z_i) / sum_k exp(z_k)
L = -sum_k y_k log p_k
"""
SCORES = "z_j = sum_i W_ji x_i + b_j\n" + SOFTMAX
LAYER = """z = W x + b
p = softmax(z)
L = -sum_k y_k log p_k
"""
LEAST_SQUARES = "E = 1/2 ||X w - y||^2\n"
MEAN_SQUARES = "L = 1/N sum_{n=1}^N (w x_n + b - y_n)^2\n"
LOGISTIC = "sigma(z) = 1/(1 + exp(-z))\n"
NETWORK = """z^l = W^l a^{l-1} + b^l
a^l = sigma(z^l)
delta^l = dC/dz^l
"""

JACOBIAN = "dp_i/dz_j = p_i (delta_ij - p_j)"
CHAIN = "dL/dz_i = -sum_k y_k (1/p_k) dp_k/dz_i"
CASES = "dL/dz_i = -y_i (1 - p_i) + sum_{k != i} y_k p_i"
QUOTIENT = "dp_i/dz_j = delta_ij exp(z_i)/sum_k exp(z_k) - exp(z_i) exp(z_j) / (sum_k exp(z_k))^2"
LINE = "dL/dw = 2/N sum_{n=1}^N (w x_n + b - y_n) x_n"
ERROR = "delta^l = ((W^{l+1})^T delta^{l+1}) ⊙ sigma'(z^l)"

TANH = "h = tanh(v x)\no = u h\nE = 1/2 (o - t)^2\n"
SLOPE = "dE/dv = (o - t) u (1 - h^2) x"
RIDGE = "L = 1/2 (w x - y)^2 + lambda w^2\n"
PENALTY = "dL/dw = (w x - y) x + 2 lambda w"
ROOT = "u = (v + 1)^{-1/2}\n"
RELU = "z = w x + b\na = max(0, z)\n"

PLANTED = [
    (TANH, SLOPE, "dE/dv = (o - t) u (1 - h)^2 x", "sum_of_squares"),
    (TANH, SLOPE, "dE/dv = (o - t) u (1 - h) x", "exponent"),
    (TANH, SLOPE, "dE/dv = o - t u (1 - h^2) x", "brackets"),
    (RIDGE, PENALTY, "dL/dw = (w x - y) x + lambda w", "factor"),
    (RIDGE, PENALTY, "dL/dw = (w x - y) x", "regulariser_missing"),
    (ROOT, "du/dv = -1/2 (v + 1)^{-3/2}", "du/dv = -1/2 (v + 1)^{-1/2}", "exponent"),
    ("f = (w x)^2 + y\n", "f = w^2 x^2 + y", "f = w x^2 + y", "brackets"),
    ("g = (a - b)^2 c\n", "g = (a^2 - 2 a b + b^2) c", "g = (a^2 - b^2) c", "sum_of_squares"),
    (RELU, "da/dw = 1{z > 0} x", "da/dw = x", "activation_missing"),
    (SOFTMAX, JACOBIAN, "dp_i/dz_i = p_i (delta_ij - p_j)", "index_on_one_side"),
    (SOFTMAX, JACOBIAN, "dp_i/dz_j = p_i (delta_ij - p_i)", "wrong_index"),
    (SOFTMAX, JACOBIAN, "dp_i/dz_j = p_i (delta_ik - p_j)", "delta_wrong_pair"),
    (SOFTMAX, JACOBIAN, "dp_i/dz_j = p_i (1 - p_i)", "jacobian_diagonal_only"),
    (SOFTMAX, JACOBIAN, "dp_i/dz_j = p_i (1 - p_j)", "delta_missing"),
    (SOFTMAX, JACOBIAN, "dp_i/dz_j = p_i (p_j - delta_ij)", "sign"),
    (SOFTMAX, JACOBIAN, "dp_i/dz_j = p_i (delta_ij + p_j)", "sign"),
    (SOFTMAX, QUOTIENT, QUOTIENT.replace("(sum_k exp(z_k))^2", "sum_k exp(z_k)^2"), "sum_of_squares"),
    (SOFTMAX, QUOTIENT, QUOTIENT.replace(")^2", ")"), "quotient_rule"),
    (SOFTMAX, CHAIN, "dL/dz_i = -sum_k y_k dp_k/dz_i", "logarithm_half_done"),
    (SOFTMAX, CHAIN, "dL/dz_i = -sum_j y_k (1/p_k) dp_k/dz_i", "two_letters_for_one"),
    (SOFTMAX, CHAIN, "dL/dz_i = -sum_i y_i (1/p_i) dp_i/dz_i", "summed_letter_free"),
    (SOFTMAX, CHAIN, "dL/dz_i = -y_k (1/p_k) dp_k/dz_i", "sum_missing"),
    (SOFTMAX, CHAIN, "dL/dz_i = sum_k y_k (1/p_k) dp_k/dz_i", "sign"),
    (SOFTMAX, CHAIN, "dL/dp_i = -sum_k y_k (1/p_k) dp_k/dz_i", "wrong_variable"),
    (SOFTMAX, "dL/dz_i = p_i sum_k y_k - y_i", "dL/dz_i = p_i y_k - y_i", "sum_missing"),
    (SOFTMAX, "dL/dz_i = p_i - y_i", "dL/dz_i = y_i - p_i", "sign"),
    (SOFTMAX, CASES, "dL/dz_i = -y_i (1 - p_i) + sum_k y_k p_i", "case_counted_twice"),
    (SOFTMAX, CASES, "dL/dz_i = -sum_i y_i (1 - p_i) + sum_{k != i} y_k p_i", "stray_sum"),
    (SOFTMAX, "dL/dp_k = -y_k/p_k", "dL/dp_k = -1/p_k", "factor_missing"),
    (SOFTMAX, "dL/dp_k = -y_k/p_k", "dL/dp_k = y_k/p_k", "sign"),
    (SOFTMAX, "dL/dp_k = -y_k/p_k", "dL/dp_k = -y_k log p_k", "logarithm_half_done"),
    (SOFTMAX, "dL/dp_k = -y_k/p_k", "dL/dp_k = -sum_k y_k/p_k", "stray_sum"),
    (SOFTMAX, "dL/dp_k = -y_k/p_k", "dL/dp_k = -p_k/y_k", "wrong_operand"),
    (SCORES, "dL/dW_ji = (p_j - y_j) x_i", "dL/dW_ji = (p_i - y_i) x_j", "wrong_index"),
    (SCORES, "dL/dW_ji = (p_j - y_j) x_i", "dL/dW_ji = (p_j - y_j) W_ji", "wrong_operand"),
    (SCORES, "dL/db_j = p_j - y_j", "dL/db_j = (p_j - y_j) b_j", "stray_factor"),
    (SCORES, "dL/dx_i = sum_j (p_j - y_j) W_ji", "dL/dx_i = sum_j (p_j - y_j) W_ij", "transposed"),
    (SCORES, "dL/dx_i = sum_j (p_j - y_j) W_ji", "dL/dx_i = (p_j - y_j) W_ji", "sum_missing"),
    (LAYER, "dL/dW = (p - y) x^T", "dL/dW = (p - y) x", "outer_product"),
    (LAYER, "dL/dW = (p - y) x^T", "dL/dW = x (p - y)^T", "transposed"),
    (LAYER, "dL/dx = W^T (p - y)", "dL/dx = W (p - y)", "transposed"),
    (LAYER, "dL/dx = W^T (p - y)", "dL/dx = (p - y) W^T", "order_of_factors"),
    (LAYER, "dL/db = p - y", "dL/db = p_i - y_i", "component_for_vector"),
    (LEAST_SQUARES, "dE/dw = X^T (X w - y)", "dE/dw = X (X w - y)", "transposed"),
    (LEAST_SQUARES, "dE/dw = X^T (X w - y)", "dE/dw = 2 X^T (X w - y)", "factor"),
    (LEAST_SQUARES, "dE/dw = X^T (X w - y)", "dE/dw = X^T (y - X w)", "sign"),
    (LEAST_SQUARES, "dE/dw = X^T (X w - y)", "dE/dw = X w - y", "factor_missing"),
    (MEAN_SQUARES, LINE, LINE.replace("2/N", "2"), "factor"),
    (MEAN_SQUARES, LINE, LINE.replace("2/N", "1/N"), "factor"),
    (MEAN_SQUARES, LINE, LINE.replace("2/N", "2/N^2"), "factor"),
    (MEAN_SQUARES, LINE, LINE.replace(" + b", ""), "bias_missing"),
    (MEAN_SQUARES, LINE, LINE.removesuffix(" x_n"), "chain_rule"),
    (MEAN_SQUARES, LINE.replace("dw", "db").removesuffix(" x_n"), LINE.replace("dw", "db"), "stray_factor"),
    (LOGISTIC, "dsigma/dz = sigma(z) (1 - sigma(z))", "dsigma/dz = sigma(z) (1 + sigma(z))", "sign"),
    (LOGISTIC, "sigma'(z) = sigma(z) (1 - sigma(z))", "sigma'(z) = 1 - sigma(z)", "factor_missing"),
    (LOGISTIC, "sigma'(z) = exp(-z)/(1 + exp(-z))^2", "sigma'(z) = -exp(-z)/(1 + exp(-z))^2", "sign"),
    (LOGISTIC, "sigma'(z) = exp(-z)/(1 + exp(-z))^2", "sigma'(z) = exp(-z)/(1 + exp(-z))", "quotient_rule"),
    (NETWORK, ERROR, "delta^l = (W^{l+1} delta^{l+1}) ⊙ sigma'(z^l)", "transposed"),
    (NETWORK, ERROR, "delta^l = (W^{l+1})^T delta^{l+1}", "activation_missing"),
    (NETWORK, ERROR, "delta^l = ((W^{l+1})^T delta^{l+1}) ⊙ sigma'(a^l)", "activation_of_a"),
    (NETWORK, ERROR, "delta^l = ((W^{l+1})^T delta^{l+1}) ⊙ sigma(z^l)", "function_for_derivative"),
    (NETWORK, ERROR, "delta^l = ((W^l)^T delta^{l+1}) ⊙ sigma'(z^l)", "wrong_layer"),
    (NETWORK, ERROR, "delta^l = ((W^{l+1})^T ⊙ delta^{l+1}) sigma'(z^l)", "elementwise_product"),
    (NETWORK, "dC/dW^l = delta^l (a^{l-1})^T", "dC/dW^l = delta^l (a^l)^T", "wrong_layer"),
    (NETWORK, "dC/dW^l = delta^l (a^{l-1})^T", "dC/dW^l = (a^{l-1})^T delta^l", "order_of_factors"),
    (NETWORK, "dC/dW^l = delta^l (a^{l-1})^T", "dC/dW^l = delta^l ⊙ a^{l-1}", "outer_product"),
    (NETWORK, "dC/db^l = delta^l", "dC/db^l = delta^{l+1}", "wrong_layer"),
]
