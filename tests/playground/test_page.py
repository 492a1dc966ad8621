"""The page as a file: its size, its policy, its modules, and the command that writes it."""

import json
import re
import subprocess
from pathlib import Path

import pytest

import glassmax
from glassmax.playground import build
from glassmax.playground.bundle import bundled

from ..cli.test_cli import call
from .node import NODE, needs_node

PACKAGE = Path(glassmax.__file__).parent / "playground"
SCRIPTS = sorted((PACKAGE / "scripts").glob("*.js"))


def test_the_page_is_one_file_of_at_most_400_kB():
    assert len(build().encode()) <= 400_000


def test_the_page_names_no_address_and_loads_nothing():
    text = re.sub(r'"http://www\.w3\.org/\d{4}/[a-z]+"|"http://www\.w3\.org/1998/Math/MathML"', "", build())
    assert not re.search(r"https?://", text)
    assert not re.search(r"<(?:script|img|iframe|object|embed)[^>]*\ssrc=", text)
    assert re.findall(r'<link [^>]*href="([^"]*)"', text) == ["data:,"]


def test_the_policy_allows_the_page_s_own_script_and_webassembly_alone():
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', build())[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/=]+' 'wasm-unsafe-eval'", rules["script-src"])
    assert not re.search(r"\son[a-z]+=", re.sub(r"<script>.*?</script>", "", build(), flags=re.DOTALL))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_module_has_fewer_than_300_lines_and_says_what_it_is_for(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 300
    assert lines[0].startswith("// ")


def test_every_module_is_part_of_the_page():
    page = build()
    assert len(SCRIPTS) > 15
    assert [path.name for path in SCRIPTS if f"const ${path.stem} = " not in page] == []


def test_a_bundle_keeps_names_apart_and_runs_what_is_imported_first():
    modules = {
        "main.js": 'import { one, two as second } from "./parts.js";\n'
        "const own = 1;\nexport const sum = own + one + second;\n",
        "parts.js": "const own = 10;\nexport const one = own;\nconst two = 100;\nexport { two };\n",
        "unused.js": "throw new Error();\n",
    }
    text = bundled(modules, "main.js")
    assert text.index("$parts") < text.index("$main")
    assert "unused" not in text
    if NODE:
        done = subprocess.run(
            [NODE, "-e", f"{text}\nconsole.log($main.sum)"], capture_output=True, encoding="utf-8", check=True
        )
        assert done.stdout == "111\n"


def test_modules_that_import_each_other_are_refused():
    modules = {"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'}
    with pytest.raises(ValueError, match=r"a\.js and b\.js and a\.js import each other in a circle"):
        bundled(modules, "a.js")


@needs_node
def test_the_page_s_script_is_valid(tmp_path):
    script = re.search(r"<script>(.*?)</script>", build(), re.DOTALL)[1]
    (tmp_path / "page.js").write_text(script, encoding="utf-8")
    done = subprocess.run([NODE, "--check", str(tmp_path / "page.js")], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_writes_the_page(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = call(monkeypatch, capsys, "playground", "-o", "page.html")
    assert (result.code, result.out) == (0, "")
    assert re.fullmatch(r"Wrote page\.html, \d+ kB\. Open it in a browser\.\n", result.err)
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == build()
    again = call(monkeypatch, capsys, "playground", "-o", "page.html", "--json")
    assert json.loads(again.out) == {"path": "page.html", "bytes": len(build().encode())}
