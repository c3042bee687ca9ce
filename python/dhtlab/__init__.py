"""A deterministic simulator of distributed hash tables.

A scenario is a dict, the text of a TOML file, the path of a file, or the name of a shipped scenario::

    import dhtlab

    results = dhtlab.run({
        "experiment": "network",
        "repetitions": 5,
        "underlay": {"model": "euclidean", "nodes": 500},
        "overlay": {"nodes": 200, "protocol": "chord"},
        "workload": {"lookups": 1000},
        "sweep": {"overlay.nodes": [50, 100, 200]},
    })
    frame = results.runs.to_pandas()

The same scenario gives the same results on every machine.
"""

from __future__ import annotations

# As `typing.TYPE_CHECKING`: type checkers take it for true.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._api import (
        Interrupted,
        Results,
        RunError,
        ScenarioDict,
        ScenarioError,
        Table,
        check,
        explain,
        load,
        run,
        schema,
        sweep,
        __version__,
    )

__all__ = [
    "Interrupted",
    "Results",
    "RunError",
    "ScenarioDict",
    "ScenarioError",
    "Table",
    "check",
    "explain",
    "load",
    "run",
    "schema",
    "sweep",
    "__version__",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # Imported when it is used: the command needs none of it, and starts in a third of the time.
        if name in __all__:
            from . import _api

            return getattr(_api, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return [*globals(), *__all__]
