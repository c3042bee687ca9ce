"""The functions and classes of the package."""

from __future__ import annotations

import html
import json
import os
import threading
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence, Union

from . import _native
from ._native import RunError, ScenarioError, __version__
from ._toml import to_toml
from .scenario_types import Scenario as ScenarioDict

ScenarioLike = Union[ScenarioDict, Mapping[str, Any], str, "os.PathLike[str]"]


class _Running:
    """The thread in which a progress function is called."""

    ident: Optional[int] = None


_running = _Running()


class Interrupted(KeyboardInterrupt):
    """An interrupt while a scenario ran; ``results`` has the runs that are finished."""

    def __init__(self, results: "Results") -> None:
        super().__init__(f"{results.finished} of {results.planned} runs are finished")
        self.results = results

    def __reduce__(self) -> Any:
        return Interrupted, (self.results,)


class Table:
    """A table of results: a row per run (``runs``), or per run and value (all others).

    It offers the Arrow PyCapsule interface, so ``pyarrow.table(table)``, ``polars.from_arrow(table)`` and
    others read it without a copy through text.
    """

    def __init__(self, native: Any) -> None:
        self._native = native

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._native.__arrow_c_stream__(requested_schema)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._native.columns

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._native)

    def __repr__(self) -> str:
        return f"<dhtlab.Table: {len(self)} rows, {len(self.columns)} columns>"

    def __reduce__(self) -> Any:
        try:
            arrow = self.to_arrow()
        except ImportError:
            arrow = None
        return Table, (_Columns(self.to_dict(), arrow),)

    def to_dict(self) -> dict[str, list[Any]]:
        """A list of values for each column; an empty cell is None. Needs no other package."""
        return self._native.to_dict()

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table``. Needs the package ``pyarrow``."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame``. Needs the package ``pandas``; uses ``pyarrow`` if it is installed."""
        import pandas

        try:
            return self.to_arrow().to_pandas()
        except ImportError:
            frame = pandas.DataFrame(self.to_dict())
        for name, values in frame.items():
            if name in ("repetition", "seed"):
                frame[name] = values.astype("uint64")
            elif values.dtype == object and all(one is None or isinstance(one, float) for one in values):
                frame[name] = values.astype("float64")
        return frame

    def to_polars(self) -> Any:
        """A ``polars.DataFrame``. Needs the package ``polars``."""
        import polars

        return polars.DataFrame(self)


class _Columns:
    """The content of a table that came from another process."""

    def __init__(self, values: dict[str, list[Any]], arrow: Any) -> None:
        self._values = values
        # None if the process that sent it has no ``pyarrow``.
        self._arrow = arrow

    @property
    def columns(self) -> list[str]:
        return list(self._values)

    def __len__(self) -> int:
        return len(next(iter(self._values.values()), []))

    def to_dict(self) -> dict[str, list[Any]]:
        return {name: list(values) for name, values in self._values.items()}

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        if self._arrow is None:
            import pyarrow

            # A seed may be too large for the type that is inferred.
            kinds = {"repetition": pyarrow.uint64(), "seed": pyarrow.uint64()}
            arrays = {name: pyarrow.array(values, kinds.get(name)) for name, values in self._values.items()}
            self._arrow = pyarrow.table(arrays)
        return self._arrow.__arrow_c_stream__(requested_schema)


class Results(Mapping[str, Table]):
    """The results of a scenario: its tables by name; ``runs`` has a row per run.

    The columns are those of the CSV files: ``dhtlab.explain("latency_ms_mean")`` says what one means.
    """

    def __init__(
        self,
        name: str,
        tables: Mapping[str, Callable[[], Table]],
        notes: Mapping[str, list[str]],
        size: tuple[int, int],
        folder: Optional[Path],
    ) -> None:
        self.name = name
        """The name of the scenario."""
        self.notes = dict(notes)
        """What to know about a run, by the name of the run."""
        self.folder = folder
        """The folder with CSV files and figures; None if there is none."""
        self._tables = dict(tables)
        self._size = size

    @property
    def runs(self) -> Table:
        """The table ``runs``: a row per run."""
        return self["runs"]

    @property
    def is_complete(self) -> bool:
        """Whether all planned runs are finished."""
        return self._size[0] == self._size[1]

    @property
    def finished(self) -> int:
        """Number of finished runs."""
        return self._size[0]

    @property
    def planned(self) -> int:
        """Number of planned runs."""
        return self._size[1]

    def __getitem__(self, table: str) -> Table:
        return self._tables[table]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        """Number of tables."""
        return len(self._tables)

    def __reduce__(self) -> Any:
        tables = {name: self[name] for name in self}
        return _restored, (self.name, tables, self.notes, self._size, self.folder)

    def __repr__(self) -> str:
        tables = ", ".join(self._tables)
        return f"<dhtlab.Results {self.name}: {self.finished} of {self.planned} runs; {tables}>"

    def figures(self) -> list[Path]:
        """The paths of the figures (SVG) in the folder."""
        return sorted(self.folder.glob("*.svg")) if self.folder else []

    def _repr_html_(self) -> str:
        figures = "".join(path.read_text() for path in self.figures()[:1])
        return f"<p>{self.finished} of {self.planned} runs of {html.escape(self.name)}</p>{figures}"


def _restored(
    name: str,
    tables: Mapping[str, Table],
    notes: Mapping[str, list[str]],
    size: tuple[int, int],
    folder: Optional[Path],
) -> Results:
    """The results that came from another process."""
    there = {table: (lambda content=content: content) for table, content in tables.items()}
    return Results(name, there, notes, size, folder)


def run(
    scenario: ScenarioLike,
    *,
    out: Union[str, "os.PathLike[str]", None] = None,
    set: Optional[Mapping[str, Any]] = None,
    seed: Optional[int] = None,
    repetitions: Optional[int] = None,
    quick: bool = False,
    jobs: Optional[int] = None,
    name: str = "scenario",
    progress: Union[bool, Callable[[int, int], None]] = True,
) -> Results:
    """Run a scenario.

    :param scenario: a dict, the text of a TOML file, the path of a file, or the name of a shipped scenario
    :param out: write CSV files and figures to the subfolder of this folder that has the name of the scenario;
        runs that are finished there are not repeated. None: the results are in memory only
    :param set: values of keys by dotted path, such as ``{"overlay.nodes": 500}``
    :param seed: the seed of all random streams
    :param repetitions: number of runs of each point of the sweep
    :param quick: whether to use the small sizes in the table ``quick`` of the scenario
    :param jobs: number of parallel runs; None: the number of cores
    :param name: the name of a scenario that has no file
    :param progress: whether to show a bar, or a function of the number of finished and of all runs
    :raises ScenarioError: the scenario is invalid; ``file``, ``line``, ``key`` and ``message`` say where and why,
        ``others`` has the texts of further errors
    :raises ValueError: a scenario that does not fit in memory; a folder that cannot be used, has results of
        another experiment, or is in use
    :raises RunError: a run has failed, or results could not be written
    :raises Interrupted: an interrupt in the main thread; its ``results`` has the finished runs

    One scenario runs at a time; a call in another thread waits. Simulated networks end soon after an interrupt,
    other experiments when their current runs are finished.
    """
    if _running.ident == threading.get_ident():
        raise RuntimeError("run was called from the progress function of another run")
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs: expected at least 1, found {jobs}")
    native = _read(scenario, set, seed, repetitions, quick, name)
    shown = _bar(native.name) if progress is True else progress or None
    folder = None if out is None else Path(out)
    def told(done: int, total: int) -> None:
        _running.ident = threading.get_ident()
        try:
            shown(done, total)
        finally:
            _running.ident = None

    finished, raised = _native.run(native, folder, jobs, told if shown else None)
    tables = {table: _later(finished, table) for table in finished.tables()}
    where = None if folder is None else folder / native.name
    results = Results(native.name, tables, finished.notes(), finished.size, where)
    if isinstance(raised, KeyboardInterrupt):
        raise Interrupted(results) from None
    if raised is not None:
        raise raised
    return results


def sweep(scenario: ScenarioLike, keys: Mapping[str, Sequence[Any]], **options: Any) -> Results:
    """Run every combination of the values of some keys.

    :param keys: values by dotted path, such as ``{"overlay.nodes": [50, 100]}``
    :param options: those of :func:`run`
    """
    for key, values in keys.items():
        is_range = isinstance(values, Mapping)
        if isinstance(values, (str, bytes, frozenset)) or not (is_range or hasattr(values, "__len__")):
            raise TypeError(f"{key}: expected a list of values, found {values!r}")
    given = dict(options.pop("set", None) or {})
    given.update({f"sweep.{key}": values for key, values in keys.items()})
    return run(scenario, set=given, **options)


def check(
    scenario: ScenarioLike,
    *,
    set: Optional[Mapping[str, Any]] = None,
    seed: Optional[int] = None,
    repetitions: Optional[int] = None,
    quick: bool = False,
    name: str = "scenario",
    trials: bool = True,
) -> dict[str, Any]:
    """Validate a scenario and forecast its cost.

    :param trials: whether to run the beginning of some runs for about a second, for a better forecast
    :returns: ``name``, ``experiment``, ``swept`` keys, ``points`` and ``runs``, ``seconds`` of processor time,
        ``bytes`` of memory of this process during the largest run, ``warnings``, and ``faults`` that make the results useless
    :raises ScenarioError: the scenario is invalid
    """
    native = _read(scenario, set, seed, repetitions, quick, name)
    points, runs = native.size
    seconds, memory = native.forecast(trials)
    warnings, faults = native.advice()
    return {
        "name": native.name,
        "experiment": native.experiment,
        "swept": native.swept,
        "points": points,
        "runs": runs,
        "seconds": seconds,
        "bytes": memory,
        "warnings": warnings,
        "faults": faults,
    }


def load(folder: Union[str, "os.PathLike[str]"]) -> Results:
    """Read the results in a folder, such as ``results/chord-path-length``.

    :raises ValueError: there are no results, or files were changed after the run
    """
    path = Path(folder)
    _native.verify(path)
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    swept = manifest.get("swept", [])

    def later(file: Path) -> Callable[[], Table]:
        return lambda: Table(_native.Table(file, swept))

    names = ["runs", *manifest.get("tables", [])]
    tables = {name: later(path / f"{name}.csv") for name in names}
    size = (manifest.get("runs_done", 0), manifest.get("runs_planned", 0))
    return Results(manifest.get("name", path.name), tables, manifest.get("notes", {}), size, path)


def schema() -> dict[str, Any]:
    """The JSON Schema of scenarios: all keys with their meaning, type, range and default."""
    return json.loads(_native.schema())


def explain(*names: str) -> str:
    """What keys of scenarios and columns of results mean, with unit, range and default.

    :param names: keys such as ``"overlay.chord.successors"``, tables of keys, or columns
    :raises ValueError: there is no key or column of this name
    """
    return _native.explain(list(names))


def _read(
    scenario: ScenarioLike,
    given: Optional[Mapping[str, Any]],
    seed: Optional[int],
    repetitions: Optional[int],
    quick: bool,
    name: str,
) -> Any:
    if not isinstance(name, str) or Path(name).name != name:
        raise ValueError(f"name: expected a name without separators, found {name!r}")
    if isinstance(scenario, str) and not scenario.strip():
        raise ValueError("the scenario is empty")
    settings = [f"{key}={to_toml(value)}" for key, value in (given or {}).items()]
    has_lines = True
    if isinstance(scenario, Mapping):
        text, path, has_lines = to_toml(scenario, top=True), Path(f"{name}.toml"), False
    elif isinstance(scenario, str) and _is_text(scenario):
        text, path = scenario, Path(f"{name}.toml")
    else:
        path = _native.find(Path(scenario))
        try:
            text = Path(path).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8: {error.reason}") from None
    return _native.Scenario(text, path, has_lines, settings, seed, repetitions, quick)


def _is_text(scenario: str) -> bool:
    """Whether ``scenario`` is the text of a file, not a path or a name."""
    is_path = scenario.endswith(".toml") or os.path.exists(scenario)
    return "\n" in scenario or ("=" in scenario and not is_path)


def _later(finished: Any, table: str) -> Callable[[], Table]:
    return lambda: Table(finished.table(table))


def _bar(name: str) -> Callable[[int, int], None]:
    """A progress bar: that of ``tqdm`` if it is installed, for terminals and notebooks, or else one of text."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _text_bar(name)
    bars: list[Any] = []

    def show(done: int, total: int) -> None:
        if not bars:
            bars.append(tqdm(total=total, desc=name, unit="run"))
        bars[0].update(done - bars[0].n)
        if done == total:
            bars[0].close()

    return show


def _text_bar(name: str) -> Callable[[int, int], None]:
    import sys

    is_terminal = sys.stderr.isatty()
    tenths = [0]

    def show(done: int, total: int) -> None:
        if is_terminal:
            end = "\n" if done == total else ""
            print(f"\r{name}: {done} of {total} runs", end=end, file=sys.stderr, flush=True)
        elif 10 * done // total > tenths[0]:
            tenths[0] = 10 * done // total
            print(f"{name}: {done} of {total} runs", file=sys.stderr, flush=True)

    return show
