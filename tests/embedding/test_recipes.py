"""Recipes: which columns they embed, with which edges, and which embeddings they could have made."""

import numpy as np
import pytest
from scipy import sparse

from glassmax import Embedding
from glassmax.embedding import Categories, Periodic, PiecewiseLinear, describes, fitted_embedding, needs_rows
from glassmax.errors import OptionError

DRAW = np.random.default_rng(0)
N = 200
X = np.c_[
    DRAW.standard_normal(N),  # 0: numbers
    np.ones(N),  # 1: constant
    DRAW.integers(0, 2, N),  # 2: two values
    DRAW.integers(0, 3, N),  # 3: three
    np.eye(4)[DRAW.integers(0, 4, N)],  # 4 to 7: categories
    np.where(DRAW.random(N) < 0.8, 0.0, DRAW.standard_normal(N)),  # 8: mostly one value
    np.where(DRAW.random(N) < 0.99, 0.0, 5.0),  # 9: two values
]
SPARSE = [X, sparse.csr_array(X), sparse.csc_matrix(X)]
KINDS = ["dense", "csr", "csc"]


@pytest.mark.parametrize("rows", SPARSE, ids=KINDS)
def test_columns_of_at_least_three_values_are_embedded(rows):
    assert fitted_embedding("periodic", rows).periodic == (0, 3, 8)
    assert tuple(fitted_embedding("piecewise_linear", rows).edges) == (0, 3, 8)


def test_a_value_between_two_others_may_be_the_absent_zero_of_a_sparse_matrix():
    column = sparse.csr_array(np.array([[-1.0], [1.0], [0.0], [-1.0]]))
    assert fitted_embedding("periodic", column).periodic == (0,)
    assert fitted_embedding("periodic", column[:2]) is None
    explicit = sparse.csr_array((np.array([-1.0, 0.0, 1.0]), (np.array([0, 1, 2]), np.zeros(3, int))), shape=(3, 1))
    assert fitted_embedding("periodic", explicit).periodic == (0,)


@pytest.mark.parametrize("rows", SPARSE, ids=KINDS)
def test_edges_are_the_distinct_quantiles(rows):
    edges = fitted_embedding(PiecewiseLinear(bins=4), rows).edges
    np.testing.assert_array_equal(edges[0], np.quantile(X[:, 0], [0, 0.25, 0.5, 0.75, 1]))
    np.testing.assert_array_equal(edges[3], [0, 1, 2])
    assert len(edges[8]) == 3  # the quartiles are all 0
    assert edges[8][1] == 0


def test_a_column_named_but_of_too_few_values_has_no_bins():
    embedding = fitted_embedding(PiecewiseLinear(columns=[0, 1, 2], bins=4), X)
    assert tuple(embedding.edges) == (0,)
    assert fitted_embedding(PiecewiseLinear(columns=[1, 2]), X) is None
    assert fitted_embedding(Periodic(columns=[1]), X).periodic == (1,)


def test_edges_are_distinct_in_the_precision_of_the_rows():
    rows = (1e8 + np.arange(100.0)[:, None]).astype(np.float32)
    (edges,) = fitted_embedding(PiecewiseLinear(bins=50), rows).edges.values()
    np.testing.assert_array_equal(edges, np.unique(edges.astype(np.float32)))
    assert len(edges) < 50


def test_several_recipes_make_one_embedding():
    recipes = [Categories(4, 8, 2), Periodic(frequencies=8, size=2, scale=0.3), PiecewiseLinear([0], bins=4)]
    expected = Embedding(
        10, periodic=[0, 3, 8], frequencies=8, size=2, scale=0.3, blocks=[(4, 8, 2)],
        edges={0: np.quantile(X[:, 0], [0, 0.25, 0.5, 0.75, 1])},
    )  # fmt: skip
    assert fitted_embedding(recipes, X) == expected
    assert fitted_embedding(["periodic", PiecewiseLinear([0], 4)], X).periodic == (0, 3, 8)


def test_columns_of_categories_are_left_out():
    numbers = np.hstack([X[:, :4], 3 * X[:, 4:8] + X[:, :1] * X[:, 4:8]])
    assert fitted_embedding(["periodic", Categories(4, 8, 1)], numbers).periodic == (0, 3)


def test_an_embedding_stays_as_it_is():
    embedding = Embedding(10, periodic=[1])
    assert fitted_embedding(embedding, X) is embedding
    assert fitted_embedding(None, X) is None
    assert fitted_embedding([], X) is None


def test_which_recipes_wait_for_the_rows():
    assert not any(map(needs_rows, [None, Embedding(3), Periodic(columns=[0]), [Categories(0, 2, 1)]]))
    assert all(map(needs_rows, ["periodic", "piecewise_linear", Periodic(), PiecewiseLinear([0])]))


MADE = {
    "None": None,
    "periodic": "periodic",
    "piecewise_linear": "piecewise_linear",
    "columns": Periodic(columns=[0, 8]),
    "sizes": Periodic(size=2),
    "scale": Periodic(scale=0.3),
    "frequencies": Periodic(frequencies=4),
    "bins": [PiecewiseLinear([0], bins=20)],
    "categories": [Categories(4, 8, 2)],
    "sizes of categories": [Categories(4, 8, 3)],
    "two": ["periodic", "piecewise_linear"],
    "embedding": Embedding(10, edges={0: [0.0, 1.0]}),
}


OTHERS = {
    "None": ["periodic", "piecewise_linear", "categories", "embedding"],
    "periodic": ["piecewise_linear", "sizes", "scale", "frequencies", "categories", "two"],
    "piecewise_linear": ["periodic", "bins", "categories", "two"],
    "columns": ["periodic", "piecewise_linear", "sizes", "None"],
    "sizes": ["periodic", "scale"],
    "bins": ["piecewise_linear", "periodic", "two"],
    "categories": ["sizes of categories", "None", "periodic"],
    "sizes of categories": ["categories"],
    "embedding": ["None", "bins", "piecewise_linear"],
}


@pytest.mark.parametrize("name", MADE)
def test_a_recipe_describes_what_it_made_and_not_what_others_made(name):
    assert describes(MADE[name], fitted_embedding(MADE[name], X))
    wrong = [other for other in OTHERS.get(name, []) if describes(MADE[name], fitted_embedding(MADE[other], X))]
    assert wrong == []


def test_a_recipe_describes_what_it_makes_of_other_rows():
    for rows in (X * 2, X[:50], np.ones((5, 10))):
        assert describes(MADE["two"], fitted_embedding(MADE["two"], rows))


ERRORS = {
    "embedding is 'ple', expected one of periodic, piecewise_linear.": lambda: fitted_embedding("ple", X),
    "embedding is 'Periodic', expected one of periodic, piecewise_linear. Did you mean 'periodic'?": (
        lambda: fitted_embedding("Periodic", X)
    ),
    "embedding is 16, expected None, 'periodic', 'piecewise_linear', a recipe of glassmax.embedding, or a list of "
    "them.": lambda: fitted_embedding(16, X),
    "embedding is ['periodic', Periodic(columns=[0], frequencies=16, size=3, scale=0.1)], expected at most one "
    "Periodic, with all of its columns.": lambda: fitted_embedding(["periodic", Periodic([0])], X),
    "embedding is Embedding(3 columns -> 6: periodic 1 x 3), expected one of 10 columns, as X has.": (
        lambda: fitted_embedding(Embedding(3, periodic=[0]), X)
    ),
    "columns is [10], expected column numbers from 0 to 9 that increase.": lambda: fitted_embedding(Periodic([10]), X),
    "periodic is column 4, expected columns outside the blocks, whose columns are replaced.": (
        lambda: fitted_embedding([Periodic([4]), Categories(4, 8, 2)], X)
    ),
    "blocks is (6, 9, 2), expected (start, stop, size): columns from 8 to 10, in order and apart, and a size >= 1.": (
        lambda: fitted_embedding([Categories(4, 8, 2), Categories(6, 9, 2)], X)
    ),
    "bins is 1, expected a whole number >= 2.": lambda: PiecewiseLinear(bins=1),
    "size is 0, expected a whole number >= 1.": lambda: Periodic(size=0),
    "frequencies is True, expected a whole number >= 1.": lambda: Periodic(frequencies=True),
    "scale is 0, expected a number > 0.": lambda: Periodic(scale=0),
    "stop is 3, expected a whole number >= 4.": lambda: Categories(3, 3, 2),
    "start is -1, expected a whole number >= 0.": lambda: Categories(-1, 3, 2),
}


@pytest.mark.parametrize("message", ERRORS)
def test_a_recipe_that_can_not_be_is_an_error_that_names_it(message):
    with pytest.raises(OptionError) as error:
        ERRORS[message]()
    assert str(error.value) == message
