"""The modules of streaming are listed where a reader begins."""

from pathlib import Path

from glassmax import streaming


def test_the_package_lists_all_of_its_modules():
    modules = {path.stem for path in Path(streaming.__file__).parent.glob("*.py")} - {"__init__"}
    listed = [line.split()[0] for line in streaming.__doc__.split("::")[1].splitlines() if line.startswith("    ")]
    assert sorted(listed) == sorted(modules)
