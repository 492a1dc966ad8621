"""Options from a TOML file, and back into one: ``train --config run.toml`` and ``train --print-config``.

A key is the long name of an option, with dashes or underscores; "data" is the table, or a list of files. Options on the
command line take precedence over the file. An unknown key is an error.
"""

import json
import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

__all__ = ["as_toml", "read_config"]

NOT_IN_FILES = ("config", "print_config", "help")


def read_config(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Take the options of a TOML file as defaults; the callback of --config, which click calls first."""
    if value is None:
        return None
    try:
        settings = tomllib.loads(Path(value).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise click.UsageError(f"{value}: there is no such file.") from None
    except OSError as error:
        raise click.UsageError(f"{value} can't be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise click.UsageError(f"{value} is not TOML: {error}.") from None
    known = {_key(option): option for option in ctx.command.params if option.name not in NOT_IN_FILES}
    defaults: dict[str, Any] = {}
    for key, setting in settings.items():
        option = known.get(key.replace("_", "-"))
        if option is None or option.name is None:
            near = get_close_matches(key.replace("_", "-"), known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"{value} sets {key!r}, which is no option of this command.{hint}")
        defaults[option.name] = _setting(value, key, setting, option)
    ctx.default_map = {**defaults, **(ctx.default_map or {})}
    return value


def _key(option: click.Parameter) -> str:
    """Return the name of an option in a file: the long one that people type."""
    return max((name.lstrip("-") for name in option.opts), key=len) if option.opts else str(option.name)


def _setting(path: str, key: str, setting: Any, option: click.Parameter) -> Any:
    """Return a setting as the option would be typed."""
    flag = isinstance(option, click.Option) and option.is_flag
    plain = bool if flag else (str, int, float, list)
    entries = setting if isinstance(setting, list) else [setting]
    if not isinstance(setting, plain) or any(
        not isinstance(entry, str | int | float) or isinstance(entry, bool) != flag for entry in entries
    ):
        expected = "true or false" if flag else "a text, a number, or a list of them"
        raise click.UsageError(f"{path} sets {key!r} to {setting!r}, expected {expected}.")
    if flag:
        return setting
    if option.multiple or option.nargs == -1:
        return [str(entry) for entry in entries]
    return ",".join(str(entry) for entry in entries)


def as_toml(ctx: click.Context, unused: Collection[str] = ()) -> str:
    """Write all options of a command as TOML that `read_config` reads; those unused or without a value as comments."""
    lines: list[str] = []
    group = ""
    for option in ctx.command.params:
        if option.name in NOT_IN_FILES or option.name is None:
            continue
        theirs = getattr(option, "group", "Data")
        if theirs != group:
            lines += ["", f"# {theirs}"] if lines else [f"# {theirs}"]
            group = theirs
        key, value = _key(option), ctx.params.get(option.name)
        if option.nargs == -1 and value is not None:
            value = value[0] if len(value) == 1 else value or None
        line = f"{key} =" if value is None else f"{key} = {_toml(value)}"
        lines.append(f"# {line}" if value is None or option.name in unused else line)
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return _toml([f"{key}={entry if isinstance(entry, str) else f'{entry:g}'}" for key, entry in value.items()])
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
