"""Matrix notation that can't be read as it was meant: one line that says what to write, and a caret at the place."""

import pytest

from glassmax.calculus.reading.parse_matrix import parse_matrix
from glassmax.errors import ExpressionError

OPEN = "a function that is not specified has one letter, f(x), and is applied entry by entry"
OWN = "write it out, or give the array that it returns a name of its own"
CANCELS = (
    "a maximum or minimum along an axis is known only where it cancels, as in exp(Z - Z.max(axis=1, keepdims=True)) "
    "divided by its sum; max(a, b) is entry by entry"
)
PART = (
    "expected ':', None, arange(N) or the name of an array of indices, because an entry or a part of an array has no "
    "matrix notation here, got "
)
ROWS = (
    "Python's sum of a matrix is the sum of its rows: write np.sum(X) for all entries, X.sum(axis=0) for the sum of "
    "the rows; if X is something else, declare its shape"
)

REFUSED = {
    # the text, with ^ before the place that the caret shows: the message
    # names
    "L = sum((^Xw - y)**2)": (
        "the shape of Xw isn't known: write X @ w for a product, or declare it: shapes='Xw: n,d'"
    ),
    "L = (1 - y)^' x": (
        "a prime belongs right after a name, as in f'(x); the transpose of a bracket is (...)ᵀ or (...).T"
    ),
    "L = X @ ^theta2x": "the shape of theta2x isn't known; declare it: shapes='theta2x: n,d'",
    "L = X ^theta": ("theta may be a number or a vector; declare it: shapes='theta: ' or shapes='theta: d'"),
    "y = ^X' X": (
        "X' may be the transpose, Xᵀ, or an array of its own; for that declare its shape: shapes=\"X': n,d\""
    ),
    "L = xᵀ A x + ^c": "c may be a number or an array; declare it: shapes='c: ' or shapes='c: n'",
    "L = ^C * (w @ w)": "C may be a number or an array; declare it: shapes='C: ' or shapes='C: n'",
    "p = softmax(z / ^T)": "T may be a number or an array; declare it: shapes='T: ' or shapes='T: n'",
    "L = y^_pred - y": "expected a name without an underscore, such as ypred, got '_'",
    "y^_pred = X @ w": "expected a name without an underscore, such as ypred, got '_'",
    "E = norm(^d - o)": "d may be a number or an array; declare it: shapes='d: ' or shapes='d: n'",
    # products
    "L = x ^y": (
        "two vectors side by side aren't a product: write xᵀ y for the inner product, x yᵀ for the outer product, x ⊙ "
        "y entry by entry; if x or y is something else, declare its shape"
    ),
    "L = wᵀ ^* x": (
        "expected two columns or two rows, got xᵀ beside a column; xᵀ y is the inner product"
        "; if w or x is something else, declare its shape"
    ),
    "C = A ^\\cdot B": (
        "expected A @ B for the matrix product or A ⊙ B entry by entry, got a dot"
        "; if A or B is something else, declare its shape"
    ),
    "C = A ^× B": (
        "expected A @ B for the matrix product or A ⊙ B entry by entry, got ×"
        "; if A or B is something else, declare its shape"
    ),
    "y = x ^A": (
        "expected a row before a matrix, got a column: write xᵀ A, or x @ A as in NumPy"
        "; if A or x is something else, declare its shape"
    ),
    "C = uᵀ ^vᵀ": "expected xᵀ y or x yᵀ, got two rows; if u or v is something else, declare its shape",
    "C = A^^2": (
        "a power of a matrix is A @ A or, entry by entry, A ** 2: write one of them"
        "; if A is something else, declare its shape"
    ),
    "L = 1/2^m ‖x‖²": "expected 1/(2 m), or a space where the quotient ends, got 'm'",
    "y = W^(x + y)": "expected f(x) for a function, W @ (x) or W * (x) for a product, got '('",
    "^s = 1ᵀ1": "the number of ones is not known, because no array has this length: write N in their place",
    "L = s[:, None] ^@ X": (
        "expected axes of the same length in a matrix product, got an axis of length 1"
        "; if X or s is something else, declare its shape"
    ),
    # norms
    "L = ^‖W‖_2": (
        "the norm 2 of a matrix is the largest singular value, which has no index notation"
        "; if W is something else, declare its shape"
    ),
    "L = np.linalg.^norm(W, 1)": (
        "the norm 1 of a matrix is the largest sum of a column, which has no index notation"
        "; if W is something else, declare its shape"
    ),
    "L = np.linalg.norm(W, ^'nuc')": "expected 1, 2 or 'fro' as the order of a norm",
    "L = ^‖x‖_3": "expected ‖x‖, ‖x‖_1, ‖x‖_2 or ‖A‖_F, got the norm 3",
    # functions and methods
    "L = np.^prod(x)": "prod is not known here: for positive entries it is exp(sum(log(x)))",
    "L = x.^prod()": "prod is not known here: for positive entries it is exp(sum(log(x)))",
    "L = np.^argmax(x)": "argmax is not known here: it has no derivative",
    "L = np.^median(x)": "median is not known here: it has no index notation",
    "L = X.^foo()": f"foo is not known here: {OWN}",
    "L = np.^hstack([A, B])": f"hstack is not known here: {OWN}",
    "L = ^foo(X)": f"foo is not known here: {OPEN}",
    "p = ^σ(W x + b)": (
        "σ(...) may be the sigmoid or any function: write sigmoid(...) for 1/(1 + exp(-z)), or f(...) for a function "
        "that is not specified"
    ),
    "L = ^rowsum(X)": "rowsum is not known here: write sum(X, axis=1, keepdims=True)",
    "L = ^cross_entropy(P, Y)": "cross_entropy is not known here: write it out: -sum(Y * log_softmax(Z)) / N",
    "L = np.linalg.^inv(A)": "inv of a matrix is not known here; other functions are applied entry by entry",
    "L = np.^where(M, X, 0)": "where is not known here: write a mask as an array of its own: M * a + (1 - M) * b",
    "L = X.^detach()": ("detach is not known here: write the detached array as an array of its own, with another name"),
    "L = np.^max(X, axis=1)": CANCELS,
    "m = X.^max(); L = np.sum(X - m)": CANCELS,
    "L = (X ^> 0) * X": ("a comparison can't be part of a formula: write step(x) for x > 0, relu(x) for max(0, x)"),
    # Python's own functions
    "L = np.log(^sum(np.exp(X)))": ROWS,
    "r = ^sum(X.dot(X))": ROWS,
    "Z = X.T @ X; L = ^sum(X * np.tanh(X))": ROWS,
    "r = ^sum(np.exp(X), 1)": ROWS,
    # axes and options
    "L = np.sum(X, axis=^(0, 1))": "expected an axis: 0, 1 or -1, got something else; leave axis out for all entries",
    "L = np.sum(X, axis=^2)": "expected an axis: 0, 1 or -1, got '2'",
    "L = np.sum(X, keepdims=^1)": "expected True or False as keepdims of sum",
    "L = np.sum(X, where=^M)": (
        "sum has no option where here; write a factor M, which is 1 where the entry counts and 0 elsewhere"
    ),
    "L = np.exp(X, axis=^1)": "exp has no option axis here; leave it out",
    "L = ^logsumexp(Z)": (
        "logsumexp of a matrix needs an axis: write axis=-1 for each row; if Z is something else, declare its shape"
    ),
    "L = scipy.special.^softmax(Z)": (
        "softmax of a matrix needs an axis: write axis=-1 for each row; if Z is something else, declare its shape"
    ),
    "L = X.^var(dim=0)": "var divides by N - 1 in PyTorch, by N in NumPy: write axis= and ddof=",
    "L = X.var(axis=0, ddof=^2)": "expected 0 or 1 as ddof",
    "L = x.^sum(axis=1)": "expected an axis of a vector, got axis=1; if x is something else, declare its shape",
    # indices and shapes
    "L = sum(X[^y])": "y may be one index or an array of indices; declare it: shapes='y: ' or shapes='y: n'",
    "L = sum(X [^y])": "y may be one index or an array of indices; declare it: shapes='y: ' or shapes='y: n'",
    "L = X[^0, 1]": f"{PART}'0'",
    "L = X[:, ^1]": f"{PART}'1'",
    "L = X[:^3]": "expected all of an axis, ':', because a part of it has no matrix notation here, got '3'",
    "L = P[np.arange(^3), y]": "expected the number of all rows, as in arange(N)",
    "L = sum(P[np.arange(N), ^y] * y)": "y is a class label (an index) here, an array elsewhere",
    "L = X.^reshape(-1)": "expected reshape(-1, 1) or reshape(1, -1) of a vector; other shapes are not known here",
    "L = np.^einsum('ijk,k', A, x)": (
        "expected at most two axes of each array in einsum; write index notation for more"
    ),
    "L = np.^einsum('ij,jk', A)": "expected 2 arrays in einsum, got 1",
    "L = sum(^[a, b])": "expected an array, got a list; if a or b is something else, declare its shape",
    "L = 2 * ^None": "expected an array, got None",
    # programs that are no equations
    "x ^-= x.mean()": (
        "expected a new name for a new value, as in Z2 = Z - b: an array can't be changed in place, got '-'"
    ),
    "M^[np.arange(N), y] = 0": (
        "expected a new name for a new value, as in Z2 = Z - b: an array can't be changed in place, got '['"
    ),
    "N^, D = X.shape": "expected one name on the left side, as in N = X.shape[0], got ','",
    "^import numpy": "expected equations, got Python's word import",
    "L = x ^if y": "expected equations, got Python's word if",
    "M = A ^& B": "expected one formula, got '&'",
    "^N = len(X)": "expected an equation besides the one for a length, like L = sum(x) / N",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_understood_is_refused_with_the_way_to_write_it(text: str) -> None:
    before, _, after = text.partition("^")
    with pytest.raises(ExpressionError) as caught:
        parse_matrix(before + after)
    assert str(caught.value) == f"{REFUSED[text]}\n{before + after}\n{' ' * len(before)}^"
