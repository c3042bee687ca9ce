"""Python values as TOML."""

from __future__ import annotations

import json
from typing import Any, Mapping


def to_toml(value: Any, top: bool = False) -> str:
    """``value`` as a TOML value, or with ``top`` as the content of a file."""
    if isinstance(value, Mapping):
        if top:
            value = _nested(value)
        pairs = [f"{_key(key)} = {to_toml(inner)}" for key, inner in value.items() if inner is not None]
        return "".join(f"{pair}\n" for pair in pairs) if top else "{ " + ", ".join(pairs) + " }"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if hasattr(value, "item"):  # a number of NumPy
        return to_toml(value.item())
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return {"inf": "inf", "-inf": "-inf", "nan": "nan"}.get(str(value), repr(value))
    if hasattr(value, "__fspath__"):
        return _text(str(value))
    try:
        items = list(value)
    except TypeError:
        raise TypeError(f"a scenario has no value of type {type(value).__name__}: {value!r}") from None
    return "[" + ", ".join(to_toml(item) for item in items) + "]"


def _nested(scenario: Mapping[Any, Any]) -> dict[str, Any]:
    """The scenario with a table for each part of a dotted key at its top: ``{"overlay.nodes": 5}``."""
    nested: dict[str, Any] = {}
    for key, value in scenario.items():
        *tables, last = str(key).split(".")
        inner = nested
        for table in tables:
            found = inner.get(table, {})
            inner[table] = dict(found) if isinstance(found, Mapping) else {}
            inner = inner[table]
        if isinstance(value, Mapping) and isinstance(inner.get(last), Mapping):
            value = {**inner[last], **value}
        inner[last] = value
    return nested


def _key(key: Any) -> str:
    return _text(str(key))


def _text(text: str) -> str:
    # JSON escapes are those of TOML, but for the one of DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
