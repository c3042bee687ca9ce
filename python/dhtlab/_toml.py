"""Python values as TOML."""

from __future__ import annotations

import json
from typing import Any, Mapping


def to_toml(value: Any, top: bool = False) -> str:
    """``value`` as a TOML value, or with ``top`` as the content of a file."""
    if isinstance(value, Mapping):
        if top:
            value = _nested(value)
        pairs = [f"{_text(str(key))} = {to_toml(inner)}" for key, inner in value.items() if inner is not None]
        return "".join(f"{pair}\n" for pair in pairs) if top else "{ " + ", ".join(pairs) + " }"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(str.__str__(value))
    for method in ("tolist", "to_list"):  # numbers and arrays of NumPy, series of pandas and polars
        if hasattr(value, method):
            return to_toml(getattr(value, method)())
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if hasattr(value, "__fspath__"):
        return _text(str(value))
    if isinstance(value, (list, tuple, range)):
        return "[" + ", ".join(to_toml(item) for item in value) + "]"
    raise TypeError(f"a scenario has no value of type {type(value).__name__}: {value!r}")


def _nested(scenario: Mapping[Any, Any]) -> dict[str, Any]:
    """The scenario with a table for each part of a dotted key: ``{"overlay.nodes": 5}``. Keys in ``sweep`` and
    ``quick`` are paths and stay as they are."""
    nested: dict[str, Any] = {}
    for key, value in scenario.items():
        frame, _, rest = str(key).partition(".")
        if frame in ("sweep", "quick", "figure"):
            inner = dict(value) if isinstance(value, Mapping) and not rest else value
            if rest:
                inner = {rest: value}
            known = nested.get(frame)
            nested[frame] = {**known, **inner} if isinstance(known, dict) and isinstance(inner, dict) else inner
        else:
            _insert(nested, str(key).split("."), value, str(key))
    return nested


def _insert(table: dict[str, Any], path: list[str], value: Any, whole: str) -> None:
    first, *rest = path
    if isinstance(value, Mapping) and not rest:
        inner = table.setdefault(first, {})
        if not isinstance(inner, dict):
            raise ValueError(f"{whole}: the key has two values")
        for key, own in value.items():
            _insert(inner, str(key).split("."), own, f"{whole}.{key}")
    elif rest:
        inner = table.setdefault(first, {})
        if not isinstance(inner, dict):
            raise ValueError(f"{whole}: the key has two values")
        _insert(inner, rest, value, whole)
    elif first in table:
        raise ValueError(f"{whole}: the key has two values")
    else:
        table[first] = value


def _text(text: str) -> str:
    # JSON escapes are those of TOML, but for the one of DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
