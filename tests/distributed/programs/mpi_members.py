"""Presets, a search and a cross-validation on all ranks: each prints a digest of the bits that it ends with."""

import hashlib
import json
import sys
import warnings

import glassmax as gm
from glassmax.estimator.ensemble import tuning
from tests.distributed.test_members import TINY, X, Y

warnings.simplefilter("ignore")
engine = {"engine": "mpi", "wait_limit": 60} if sys.argv[1] == "mpi" else {}
tuning.FIRST = (tuning.FIRST[1] | {"width": 32, "epochs": 4, "layers": 1},)
tuning.FEWEST_STEPS, tuning.MOST_STEPS = 8, 12


def digest(classifier):
    arrays = [classifier.weights_, classifier.oof_proba_, *(member.network_.theta for member in classifier.members_)]
    facts = repr(
        [classifier.member_types_, classifier.stop_reason_, [(t.number, t.log_loss) for t in classifier.trials_]]
    )
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays) + facts.encode()).hexdigest()


def new(**parameters):
    return gm.TableClassifier(**{"preset": TINY, "random_state": 0, "n_threads": 2, **parameters})


found = {
    "preset": digest(new().fit(X, Y, **engine)),
    "search": digest(new().tune(X, Y, trials=2, **engine)),
    "folds": repr(gm.cross_validate(new(), X, Y, folds=3, **engine).folds),
}
if engine:
    found["no time"] = new(time_limit=1e-9).fit(X, Y, **engine).stop_reason_
    try:
        new(preset=gm.estimator.ensemble.Preset(())).fit(X, Y, **engine)
    except gm.errors.DataError as error:
        found["error"] = str(error)
print(json.dumps(found) + "\n", end="")  # in one piece, so that the lines of two ranks are not mixed
