"""Each function of glassmax.functional that is a derivative has its derivation, which computes the same numbers."""

import numpy as np
import pytest

from glassmax import functional
from glassmax.calculus.functional import FUNCTIONAL_EQUATIONS, derive_function
from glassmax.functional import activations
from glassmax.functional.proposals import draw_classes

RNG = np.random.default_rng(3)
N, D, K = 4, 3, 5
ROWS = RNG.dirichlet(np.ones(K), size=N)
ARRAYS = {
    "X": RNG.normal(size=(N, D)),
    "W": RNG.normal(size=(D, K)),
    "b": RNG.normal(size=K),
    "Z": RNG.normal(size=(N, K)),
    "P": RNG.uniform(0.1, 0.9, (N, K)),
    "Y": RNG.uniform(0.0, 1.0, (N, K)),
    "S": np.eye(N, K) + np.eye(N, K, 2),
    "dZ": RNG.normal(size=(N, K)),
    "dP": RNG.normal(size=(N, K)),
    "dQ": RNG.normal(size=(N, K)),
    "dA": RNG.normal(size=(N, K)),
    "v": RNG.normal(size=(N, K)),
    "n": float(N),
    "factor": 0.7,
    "strength": 0.3,
    "slope": 0.01,
    "scale": activations.SELU_SCALE,
    "alpha": activations.SELU_ALPHA,
}
A = ARRAYS
EDGES = np.array([-1.0, -0.2, 0.4, 1.5])
PERIODIC = {
    "X": RNG.normal(size=(N, D)),
    "F": RNG.normal(size=(D, K)),
    "H": RNG.normal(size=(D, K)),
    "V": RNG.normal(size=(D, K, 2)),
    "C": RNG.normal(size=(D, 2)),
    "dA": RNG.normal(size=(N, D, 2)),
}
BINS = {"X": RNG.normal(size=N), "t": EDGES[:-1], "w": np.diff(EDGES), "dA": RNG.normal(size=(N, 3))}
LAYER = {
    "A": RNG.normal(size=(N, D)),
    "W": RNG.normal(size=(D, K)),
    "b": RNG.normal(size=K),
    "Y": RNG.uniform(0.0, 1.0, (N, K)),
    "w": RNG.uniform(0.5, 2.0, N),
    "softcap": 1.5,
    "temperature": 0.7,
    "smoothing": 0.2,
    "zloss": 0.3,
    "c": float(K),
}
LAYER["s"] = LAYER["w"].sum()
LAYER_OPTIONS = {"softcap": 1.5, "temperature": 0.7, "label_smoothing": 0.2, "z_loss": 0.3, "chunk": 2}
LABELS = np.array([2, 0, 4, 2])
DRAWN = draw_classes(K, 6, "log_uniform", seed=3, step=1)
SAMPLED = {name: LAYER[name] for name in "AWb"} | {"y": LABELS, "n": float(N), "R": np.zeros(K)}
SAMPLED["R"][DRAWN.classes] = np.exp(DRAWN.correction)
ADAPTIVE = {
    "A": LAYER["A"],
    "W": RNG.normal(size=(D, 4)),  # 3 classes and one tail
    "H": RNG.normal(size=(D, 2)),
    "V": RNG.normal(size=(2, 3)),
    "Y": np.eye(4)[np.minimum(LABELS, 3)],
    "G": np.eye(3)[LABELS - 3] * (LABELS >= 3)[:, None],
    "n": float(N),
}
OTHERS = {"periodic_vjp": PERIODIC, "piecewise_linear_vjp": BINS, "linear_softmax_cross_entropy_vjp": LAYER}
OTHERS |= {"sampled_softmax_cross_entropy_vjp": SAMPLED, "adaptive_softmax_cross_entropy_vjp": ADAPTIVE}
OTHERS |= {"adaptive_log_softmax_vjp": ADAPTIVE}
"""The arrays of the functions whose letters have other shapes."""


def dense(gradients):
    """Write sparse gradients out."""
    return tuple(gradient.toarray() if hasattr(gradient, "toarray") else gradient for gradient in gradients)


def flat(gradients):
    """Put the gradients of the tails behind the others."""
    *others, tails = gradients
    return (*others, *(gradient for tail in tails for gradient in tail))


NUMERIC = {
    "periodic_vjp": lambda: functional.periodic_vjp(PERIODIC["dA"], *(PERIODIC[name] for name in "XFHV")),
    "piecewise_linear_vjp": lambda: functional.piecewise_linear_vjp(BINS["dA"], BINS["X"], EDGES),
    "linear_softmax_cross_entropy_vjp": lambda: functional.linear_softmax_cross_entropy_vjp(
        1.0, *(LAYER[name] for name in "AWbY"), sample_weight=LAYER["w"], **LAYER_OPTIONS
    ),
    "sampled_softmax_cross_entropy_vjp": lambda: dense(
        functional.sampled_softmax_cross_entropy_vjp(
            1.0, *(LAYER[name] for name in "AWb"), LABELS, samples=6, seed=3, step=1
        )
    ),
    "adaptive_log_softmax_vjp": lambda: flat(
        functional.adaptive_log_softmax_vjp(
            np.hstack([ADAPTIVE["Y"][:, :3], ADAPTIVE["G"]]),
            ADAPTIVE["A"],
            ADAPTIVE["W"],
            [(ADAPTIVE["H"], ADAPTIVE["V"])],
        )
    ),
    "adaptive_softmax_cross_entropy_vjp": lambda: flat(
        functional.adaptive_softmax_cross_entropy_vjp(
            1.0, ADAPTIVE["A"], ADAPTIVE["W"], [(ADAPTIVE["H"], ADAPTIVE["V"])], LABELS
        )
    ),
    "affine_vjp": lambda: functional.affine_vjp(A["dZ"], A["X"], A["W"]),
    "softmax_vjp": lambda: functional.softmax_vjp(A["dP"], functional.softmax(A["Z"])),
    "log_softmax_vjp": lambda: functional.log_softmax_vjp(A["dQ"], functional.log_softmax(A["Z"])),
    "cross_entropy_vjp": lambda: functional.cross_entropy_vjp(1.0, A["P"], A["Y"]),
    "squared_error_vjp": lambda: functional.squared_error_vjp(1.0, A["P"], A["Y"], factor=0.7),
    "binary_cross_entropy_vjp": lambda: functional.binary_cross_entropy_vjp(1.0, A["P"], A["Y"]),
    "softmax_cross_entropy_vjp": lambda: functional.softmax_cross_entropy_vjp(1.0, A["Z"], A["Y"]),
    "sigmoid_cross_entropy_vjp": lambda: functional.sigmoid_cross_entropy_vjp(1.0, A["Z"], A["Y"]),
    "candidate_cross_entropy_vjp": lambda: functional.candidate_cross_entropy_vjp(1.0, A["P"], A["S"]),
    "softmax_candidate_cross_entropy_vjp": lambda: functional.softmax_candidate_cross_entropy_vjp(1.0, A["Z"], A["S"]),
    "l2_vjp": lambda: functional.l2_vjp(1.0, A["W"], 0.3),
}
ROW = {
    "softmax_jacobian": lambda z, dz: functional.softmax_jacobian(z),
    "softmax_jvp": lambda z, dz: functional.softmax_jvp(dz, functional.softmax(z)),
}
ACTIVATIONS = sorted(activations.ACTIVATIONS)


def values(derivation, arrays):
    """What the equations name, and nothing else; results of equations are not given."""
    equations = derivation.json()["equations"]
    defined = {equation.split(" = ")[0].split("_")[0] for equation in equations}
    return {name: value for name, value in arrays.items() if name not in defined}


def agrees(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_every_derivative_of_functional_has_a_rule():
    named = {name for name in functional.__all__ if name.endswith(("_vjp", "_second", "_jvp", "_jacobian"))}
    assert named == set(FUNCTIONAL_EQUATIONS)
    assert named == {*NUMERIC, *ROW, *(f"{a}_{kind}" for a in ACTIVATIONS for kind in ("vjp", "second"))}


@pytest.mark.parametrize("name", sorted(FUNCTIONAL_EQUATIONS))
def test_every_rule_is_proved(name):
    assert all(derivation.proved for derivation in derive_function(name))


@pytest.mark.parametrize("name", sorted(NUMERIC))
def test_a_derived_pullback_computes_what_the_function_computes(name):
    expected = NUMERIC[name]()
    expected = expected if isinstance(expected, tuple) else (expected,)
    for derivation, array in zip(derive_function(name), expected, strict=True):
        agrees(derivation.evaluate(**values(derivation, OTHERS.get(name, ARRAYS))), array)


@pytest.mark.parametrize("name", sorted(ROW))
def test_a_derivation_for_one_row_computes_what_the_function_computes(name):
    z, dz = ARRAYS["Z"][0], ARRAYS["dZ"][0]
    (derivation,) = derive_function(name)
    agrees(derivation.evaluate(Z=z, dZ=dz), ROW[name](z, dz))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_derived_pullback_of_an_activation_is_the_numeric_one(name):
    (derivation,) = derive_function(f"{name}_vjp")
    rows = {**ARRAYS, "Z": ARRAYS["Z"].ravel(), "dA": ARRAYS["dA"].ravel()}
    expected = getattr(functional, f"{name}_vjp")(rows["dA"], rows["Z"])
    agrees(derivation.evaluate(**values(derivation, rows)), expected)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_derived_second_derivative_of_an_activation_is_the_numeric_one(name):
    (derivation,) = derive_function(f"{name}_second")
    rows = {**ARRAYS, "Z": ARRAYS["Z"].ravel(), "v": ARRAYS["v"].ravel()}
    expected = getattr(functional, f"{name}_second")(rows["Z"]) * rows["v"]
    agrees(derivation.evaluate(**values(derivation, rows)), expected)


@pytest.mark.parametrize("name", ["gelu", "leaky_relu", "mish", "sigmoid", "tanh"])
def test_the_numpy_source_of_an_activation_runs_and_agrees(name):
    (derivation,) = derive_function(f"{name}_vjp")
    z, d = ARRAYS["Z"].ravel(), ARRAYS["dA"].ravel()
    given = {"Z": z, "dA": d, **({"slope": 0.01} if name == "leaky_relu" else {})}
    agrees(derivation.numpy()(**given), getattr(functional, f"{name}_vjp")(d, z))
