"""The how-to pages under docs/howto/: their Python runs, their tables are whole, their links lead somewhere."""

import doctest
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier

from glassmax import SoftmaxClassifier

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto"
FEWEST_EXAMPLES = {
    "moving-over": 10,
    "imbalanced": 20,
    "soft-labels": 25,
    "candidate-labels": 20,
    "many-classes": 25,
    "last-layer": 13,
    "early-stopping": 18,
    "schedules": 15,
    "tables-recipe": 20,
    "calibration": 20,
    "embeddings": 18,
    "resuming": 20,
    "label-errors": 20,
    "seeing-one-batch": 11,
    "tuning": 17,
    "tables": 10,
    "table-columns": 18,
    "files": 18,
    "playground": 3,
    "engines": 16,
    "machines": 9,
    "mpi": 3,
    "which-engine": 3,
}
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(HOWTO.glob("*.md"))}


def run(name, page, **options):
    """Run the Python of a page in one namespace; return the runner."""
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", page, re.S | re.M))
    test = doctest.DocTestParser().get_doctest(code, {}, name, f"{name}.md", 0)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    runner.run(test, **options)
    return runner


def section(page, title):
    """Return the text below a heading, up to the next heading."""
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.S | re.M)[1]


def rows(text):
    """Return the first cell of each row of a table, by what it holds in backticks."""
    return re.findall(r"^\| `(\w+)` \|", text, re.M)


def parameters(estimator):
    return list(inspect.signature(estimator.__init__).parameters)[1:]


def test_there_is_a_page_for_each_task():
    assert set(PAGES) == {*FEWEST_EXAMPLES, "README"}


@pytest.mark.parametrize("name", FEWEST_EXAMPLES)
def test_the_python_of_a_page_prints_what_it_says(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # checkpoints and models are written
    runner = run(name, PAGES[name])
    assert runner.tries >= FEWEST_EXAMPLES[name]
    assert runner.failures == 0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("\n((5, 2), 'softmax')\n", "\n((5, 1), 'logistic')\n"), ("\n(True, True)\n", "\n(True, False)\n")],
)
def test_a_wrong_output_on_a_page_would_be_found(right, wrong):
    page = PAGES["moving-over"]
    assert run("moving-over", page.replace(right, wrong, 1), out=lambda _: None).failures == 1


@pytest.mark.parametrize("name", FEWEST_EXAMPLES)
def test_a_page_says_first_for_whom_it_is_and_keeps_its_length(name):
    lines = PAGES[name].splitlines()
    assert lines[0].startswith("# ")
    assert lines[2].startswith("For those who")
    assert 60 <= len(lines) <= 130
    assert [line for line in lines if len(line) > 120] == []


def test_the_table_has_every_parameter_of_mlpclassifier():
    assert rows(section(PAGES["moving-over"], "The parameters")) == parameters(MLPClassifier)


def test_the_parameters_that_are_called_the_same_have_the_same_default():
    ours, theirs = SoftmaxClassifier().get_params(), MLPClassifier().get_params()
    assert {name: ours[name] for name in theirs} == theirs


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_table_has_every_fitted_attribute_of_mlpclassifier():
    X, y = load_iris(return_X_y=True)
    theirs, ours = (
        classifier(max_iter=1, random_state=0).fit(X, y) for classifier in (MLPClassifier, SoftmaxClassifier)
    )
    fitted = {name for name in vars(theirs) if name.endswith("_") and not name.startswith("_")}
    shown = rows(section(PAGES["moving-over"], "The fitted attributes"))
    assert set(shown) == fitted | {"feature_names_in_"}
    assert [name for name in fitted if not hasattr(ours, name)] == []


def test_every_parameter_of_ours_is_on_a_page():
    words = {
        word for page in PAGES.values() for code in re.findall(r"`[^`\n]+`", page) for word in re.findall(r"\w+", code)
    }
    assert [name for name in parameters(SoftmaxClassifier) if name not in words] == []


def test_what_mlpclassifier_lacks_is_listed_whole():
    listed = section(PAGES["moving-over"], "What MLPClassifier doesn't have")
    own = [name for name in parameters(SoftmaxClassifier) if name not in parameters(MLPClassifier)]
    assert [name for name in own if not re.search(rf"`{name}\b", listed)] == []


def test_early_stopping_puts_back_the_first_of_equally_good_epochs():
    X, y = load_iris(return_X_y=True)
    options = {"tol": 0.0, "n_iter_no_change": 3, "learning_rate_init": 0.05, "random_state": 0}
    classifier = SoftmaxClassifier((5,), early_stopping=True, scoring="accuracy", **options)
    weights = [classifier.coefs_[0].copy() for _ in classifier.fit_epochs(X, y)]
    scores = classifier.validation_scores_
    assert scores.count(max(scores)) > 1
    np.testing.assert_array_equal(classifier.coefs_[0], weights[int(np.argmax(scores))])


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_to_a_page(name):
    links = re.findall(r"\]\((?!http)([^)#]+)\)", PAGES[name])
    assert links
    assert [link for link in links if not (HOWTO / link).is_file()] == []


def test_the_list_of_pages_has_a_line_for_each():
    assert re.findall(r"^- \[\S+\]\((\S+)\.md\): .", PAGES["README"], re.M) == list(FEWEST_EXAMPLES)


def test_the_manifest_for_kubernetes_is_a_rayjob():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    manifest = yaml.safe_load((HOWTO.parents[1] / "examples" / "rayjob.yaml").read_text(encoding="utf-8"))
    assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", "RayJob")
    spec = manifest["spec"]
    assert set(spec) == {"entrypoint", "shutdownAfterJobFinishes", "backoffLimit", "rayClusterSpec"}
    assert "\n" not in spec["entrypoint"]
    cluster = spec["rayClusterSpec"]
    assert set(cluster) == {"rayVersion", "headGroupSpec", "workerGroupSpecs"}
    assert set(cluster["headGroupSpec"]) == {"rayStartParams", "template"}
    (workers,) = cluster["workerGroupSpecs"]
    assert set(workers) == {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
    for group in (cluster["headGroupSpec"], workers):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        assert set(container) == {"name", "image", "resources", "volumeMounts"}
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        assert container["image"].endswith(f":{cluster['rayVersion']}")
        assert container["resources"]["limits"] == container["resources"]["requests"]
    cpus = int(workers["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"])
    assert f"--workers {cpus * workers['replicas']}" in spec["entrypoint"]
