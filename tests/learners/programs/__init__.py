"""All cases. Importing the modules registers them."""

import controls  # noqa: F401
import doubles  # noqa: F401
import extra  # noqa: F401
import misbehaving  # noqa: F401
import singles_arrays  # noqa: F401
import singles_network  # noqa: F401
import singles_own  # noqa: F401
from setups import CASES

GROUPS = ("single", "double", "control", "note", "misbehaving", "strange")
ALL_CAUSES = """sign factor jacobian_diagonal_only jacobian_rows_summed jacobian_not_contracted jacobian_dot_term_missing jacobian_on_top jacobian_ignored
true_class_for_all softmax_axis softmax_whole_array softmax_twice other_loss activation_missing activation_other_function activation_other_layer
activation_of_a activation_of_z activation_missing_below upstream_dropped upstream_twice transposed elementwise_product precedence input_missing
weights_for_input bias_not_summed bias_averaged bias_summed_over_all bias_times_input bias_last_row regulariser_missing regulariser_factor
regulariser_sign regulariser_on_biases regulariser_divided updated_weights wrong_layer wrong_operand in_place accumulates batch_coupling
labels_from_one index_for_one_hot class_shifted float32 kink not_in_catalogue never_returns raises wrong_keys wrong_shapes writes_inputs
not_finite nondeterministic""".split()

for _case in CASES:
    for _class in _case.expect:
        assert _class <= set(ALL_CAUSES), (_case.id, _class)

__all__ = ["ALL_CAUSES", "CASES", "GROUPS"]
