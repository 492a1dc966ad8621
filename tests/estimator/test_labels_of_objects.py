"""Labels of dtype object, as pandas and lists hand them over: read as what they hold, with their own type."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from glassmax import SoftmaxClassifier, TableClassifier
from glassmax.errors import LabelError
from tests.estimator.iris import IRIS, SPECIES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

BOOLEANS = SPECIES > 0


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (SPECIES.astype(object), [0, 1, 2]),
        (BOOLEANS.astype(object), [False, True]),
        (np.array([np.int64(label) for label in SPECIES], object), [0, 1, 2]),
        (np.array([float(label) for label in SPECIES], object), [0.0, 1.0, 2.0]),
        (pd.Series(SPECIES, dtype="Int64"), [0, 1, 2]),
        (pd.Series(BOOLEANS, dtype="boolean"), [False, True]),
        (pd.Series(SPECIES, dtype=object), [0, 1, 2]),
        (pl.Series(SPECIES), [0, 1, 2]),
        (SPECIES.astype(object)[:, None][:, 0], [0, 1, 2]),
    ],
)
def test_whole_numbers_and_booleans_keep_their_type(y, classes):
    for classifier in (SoftmaxClassifier((), max_iter=2), TableClassifier(network=SoftmaxClassifier((), max_iter=2))):
        found = classifier.fit(IRIS, y).classes_.tolist()
        assert found == classes
        assert list(map(type, found)) == list(map(type, classes))


def test_partial_fit_and_validation_labels_take_objects_too():
    y = SPECIES.astype(object)
    classifier = SoftmaxClassifier((), max_iter=2, random_state=0).fit(IRIS, y, X_val=IRIS, y_val=y)
    same = SoftmaxClassifier((), max_iter=2, random_state=0).fit(IRIS, SPECIES, X_val=IRIS, y_val=SPECIES)
    np.testing.assert_array_equal(classifier.predict_proba(IRIS), same.predict_proba(IRIS))
    assert SoftmaxClassifier(()).partial_fit(IRIS, y, classes=[0, 1, 2]).classes_.tolist() == [0, 1, 2]
    assert classifier.score(IRIS, y) == same.score(IRIS, SPECIES)


def test_whole_numbers_of_more_than_64_bits_are_refused_in_these_words():
    y = np.where(SPECIES == 0, 2**70, SPECIES.astype(object))
    with pytest.raises(LabelError) as raised:
        SoftmaxClassifier(()).fit(IRIS, y)
    assert str(raised.value) == (
        "y holds the label 1180591620717411303424, expected whole numbers of at most 64 bits. Convert them to text: "
        "[str(label) for label in y]."
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
@pytest.mark.parametrize(("y", "classes"), [(SPECIES, [0, 1, 2]), (BOOLEANS, [False, True])])
def test_a_column_of_objects_is_read_as_what_it_holds(y, classes):
    found = SoftmaxClassifier((), max_iter=2).fit(IRIS, y.astype(object)[:, None]).classes_.tolist()
    assert (found, list(map(type, found))) == (classes, list(map(type, classes)))
