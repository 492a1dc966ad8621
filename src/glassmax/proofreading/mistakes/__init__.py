"""The mistakes of paper, each undone on the tree of a wrong line to see whether the line is right then.

::

    search        which mistake, or pair of mistakes, explains a line
    places        every place of a formula
    correction    one possible correction, and what the search knows of the document
    effort        how much a search may do, in counted steps

The mistakes::

    indices       letters and deltas
    sums          stray and lost sums, cases, the Jacobian summed
    rules         rules of differentiation, half done
    chains        the chain rule, penalties
    brackets      lost brackets, powers of sums
    products      order, transposes, kinds of product
    quantities    signs, factors, terms, one quantity for another
    causes        the names that the doctor for programs does not have
"""
