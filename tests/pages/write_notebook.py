"""Run examples/softmax_backprop.ipynb and store what its cells show: ``python -m tests.pages.write_notebook``."""

import json

from .test_notebook import EXAMPLES, NOTEBOOK, cells, run_cell, source


def main():
    space = {}
    for count, cell in enumerate(cells("code"), start=1):
        shown = run_cell(source(cell), space)
        cell["execution_count"], cell["outputs"] = count, []
        if shown is not None:
            data = {"text/plain": repr(shown).splitlines(keepends=True)}
            result = {"data": data, "execution_count": count, "metadata": {}, "output_type": "execute_result"}
            cell["outputs"] = [result]
    text = json.dumps(NOTEBOOK, indent=1, ensure_ascii=False) + "\n"
    (EXAMPLES / "softmax_backprop.ipynb").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
