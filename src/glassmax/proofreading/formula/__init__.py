"""The formulas of a derivation: reading them, going through them, writing them in their author's notation.

::

    parse        one side of an equation, or a condition, to its tree
    conventions  what the signs of one document mean: ∇J, D_j S_i, s(z_j), X^t
    write        a tree to LaTeX or to plain text
    walk         children, free letters, other letters, wider sums
    tree         the parts of a formula

    calls, blocks, derivatives, scripts, cursor  the grammar that `parse` reads by
    scanner, commands, tokens, signs             text to tokens
    components, operators, small_t               the conventions one by one
    inner_products, recurrent, numpy_calls       and θ x for θᵀ x; b_h beside W_hh; NumPy inside mathematics
    write_blocks, write_names, spelling          how parts and names are written
"""
