"""Letters and words that people use in one way: for weights, for numbers, for losses."""

import re

__all__ = [
    "COUNTED",
    "CROSS_ENTROPIES",
    "GREEK",
    "LONG_SCALAR",
    "LOSSES",
    "LOSS_FUNCTIONS",
    "NEVER_ARRAYS",
    "OPEN_LOSS",
    "SCALARS",
    "WEIGHTS",
]

WEIGHTS = frozenset({"w", "W", "theta", "Theta", "beta", "omega", "phi", "V", "U", "M", "K"})
SCALARS = frozenset(
    {"L", "J", "E", "C", "N", "m", "n", "alpha", "eta", "lambda", "epsilon", "ell", "loss", "cost", "K"}
)
SCALARS |= {
    "D",
    "d",
    "T",
    "t",
    "k",
    "i",
    "j",
    "c",
    "mathcal_L",
    "Loss",
    "Cost",
    "H",
    "MSE",
    "CE",
    "NLL",
    "BCE",
    "reg",
    "gamma",
}
SCALARS |= {"mu", "tau", "kappa", "rho", "R", "Omega", "lr", "pi"}
NEVER_ARRAYS = frozenset({"alpha", "eta", "lambda", "epsilon", "lr", "pi", "i", "j", "N", "m", "n"})
"""Letters that always stand for numbers, unless they have an index."""
LONG_SCALAR = re.compile(r"^(num_|n_|batch_size|learning_rate|step_size|.*(loss|cost)$)")
LOSSES = frozenset(
    {"L", "J", "E", "C", "loss", "cost", "Loss", "Cost", "mathcal_L", "N", "M", "MSE", "CE", "NLL", "BCE", "ell"}
)
LOSS_FUNCTIONS = frozenset(
    {"l", "ell", "loss", "Loss", "L", "J", "C", "E", "cost", "Cost", "mathcal_L", "CE", "H", "BCE"}
)
LOSS_FUNCTIONS |= {"MSE", "NLL", "crossentropy", "CrossEntropy", "D", "KL"}
"""Functions of two arrays that are one number: ``L = l(o, y)``, unless the document defines them otherwise."""
CROSS_ENTROPIES = frozenset({"CE", "H", "crossentropy", "CrossEntropy"})
OPEN_LOSS = "~loss"
"""The loss that nothing defines: what is known of it are its derivatives."""
GREEK = frozenset({"theta", "beta", "delta", "sigma", "phi", "psi", "omega", "zeta", "Theta", "Sigma", "Delta", "Phi"})
GREEK |= {"Lambda", "Gamma", "Psi", "chi", "nu", "xi", "upsilon", "iota", "Omega", "hat", "bar"}
COUNTED = frozenset({"N", "M", "K", "D"})
"""Letters that count what the small letter runs over."""
