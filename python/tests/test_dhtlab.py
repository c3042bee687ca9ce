"""Tests of the installed package: python -m pytest python/tests"""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import pytest

import dhtlab

SMALL = {
    "experiment": "network",
    "repetitions": 2,
    "underlay": {"model": "euclidean", "nodes": 100},
    "overlay": {"nodes": 20, "protocol": "chord"},
    "workload": {"lookups": 50},
    "sweep": {"overlay.nodes": [20, 40]},
}


def run(scenario=SMALL, **options):
    return dhtlab.run(scenario, progress=False, **options)


def test_a_dict_a_text_and_a_file_are_the_same_scenario(tmp_path):
    text = """
experiment = "network"
repetitions = 2
[underlay]
model = "euclidean"
nodes = 100
[overlay]
nodes = 20
protocol = "chord"
[workload]
lookups = 50
[sweep]
"overlay.nodes" = [20, 40]
"""
    file = tmp_path / "small.toml"
    file.write_text(text)
    first = run().runs.to_dict()
    assert first == run(text).runs.to_dict() == run(file).runs.to_dict()
    assert first["overlay.nodes"] == [20, 20, 40, 40]
    assert len(set(first["seed"])) == 2 and all(isinstance(seed, int) for seed in first["seed"])


def test_a_sweep_is_every_combination():
    base = {key: value for key, value in SMALL.items() if key != "sweep"}
    results = dhtlab.sweep(
        base,
        {"overlay.nodes": [20, 30], "overlay.protocol": ["chord", "kademlia"]},
        progress=False,
    )
    runs = results.runs.to_dict()
    points = list(zip(runs["overlay.nodes"], runs["overlay.protocol"]))
    assert sorted(set(points)) == [(20, "chord"), (20, "kademlia"), (30, "chord"), (30, "kademlia")]
    assert results.is_complete and results.planned == 8


def test_the_files_are_those_of_the_command_and_are_loaded_again(tmp_path):
    scenario = tmp_path / "small.toml"
    scenario.write_text(
        'experiment = "network"\nunderlay = { model = "constant", nodes = 50 }\noverlay.nodes = 20\n'
        "workload.lookups = 30\nrepetitions = 3\n"
    )
    results = run(scenario, out=tmp_path / "python")
    command = [sys.executable, "-m", "dhtlab", "run", str(scenario), "--out", str(tmp_path / "command")]
    subprocess.run(command, check=True, capture_output=True)
    ours, theirs = (tmp_path / side / "small" / "runs.csv" for side in ("python", "command"))
    assert ours.read_bytes() == theirs.read_bytes()
    loaded = dhtlab.load(tmp_path / "command" / "small")
    assert loaded.runs.to_dict() == results.runs.to_dict()
    assert list(loaded) == list(results)
    assert loaded["histogram"].to_dict() == results["histogram"].to_dict()


def test_frames_of_other_packages():
    runs = run().runs
    values = runs.to_dict()
    pandas = pytest.importorskip("pandas")
    frame = runs.to_pandas()
    assert list(frame.columns) == runs.columns
    assert frame["overlay_hops_mean"].dtype == "float64"
    assert frame["overlay_hops_mean"].tolist() == values["overlay_hops_mean"]
    assert pandas.api.types.is_integer_dtype(frame["overlay.nodes"])
    pytest.importorskip("polars")
    assert runs.to_polars()["run"].to_list() == values["run"]
    pytest.importorskip("pyarrow")
    assert runs.to_arrow().num_rows == 4


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        ({"overlay": {"nodes": -1}, "sweep": {}}, "overlay.nodes", "expected"),
        ({"overlay": {"nods": 20}}, "overlay.nods", "did you mean `overlay.nodes`?"),
        ({"experiment": "netwrok"}, "experiment", "expected one of"),
        ({"sweep": {"seed": [1, 2]}}, "seed", "same seeds"),
    ],
)
def test_an_invalid_scenario_says_where(change, key, message):
    with pytest.raises(dhtlab.ScenarioError) as raised:
        run({**SMALL, **change})
    assert raised.value.key == key
    assert message in raised.value.message
    assert raised.value.line is None


def test_an_invalid_text_says_its_line():
    with pytest.raises(dhtlab.ScenarioError) as raised:
        run('experiment = "network"\n[overlay]\nnods = 3\n')
    assert (raised.value.line, raised.value.key) == (3, "overlay.nods")
    with pytest.raises(dhtlab.ScenarioError) as raised:
        run("experiment = = 3\n")
    assert raised.value.line == 1 and "not valid TOML" in raised.value.message
    with pytest.raises(ValueError, match="did you mean `chord-path-length`"):
        run("chord-path-lenght")


def test_dotted_keys_and_overrides():
    rest = {key: value for key, value in SMALL.items() if key != "overlay"}
    by_dots = run({**rest, "overlay.nodes": 20, "overlay.protocol": "chord", "sweep": {}})
    by_option = run(SMALL, set={"overlay.nodes": 20})
    assert by_dots.runs.to_dict()["run"] == by_option.runs.to_dict()["run"]
    assert by_option.planned == 2


def test_a_check_forecasts():
    checked = dhtlab.check(SMALL)
    assert (checked["points"], checked["runs"], checked["swept"]) == (2, 4, ["overlay.nodes"])
    assert 0 < checked["seconds"] < 60 and checked["bytes"] > 1e6
    assert checked["faults"] == []


def test_keys_and_columns_are_explained():
    assert "default" in dhtlab.explain("overlay.chord.successors")
    assert "ms" in dhtlab.explain("latency_ms_mean")
    with pytest.raises(ValueError, match="did you mean `latency_ms_mean`"):
        dhtlab.explain("latency_ms_maen")
    assert "figure" in dhtlab.schema()["properties"]


def test_progress_counts_and_its_errors_end_the_run():
    seen = []
    run(SMALL)
    dhtlab.run(SMALL, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]

    def fail(done, total):
        raise LookupError("no more")

    with pytest.raises(LookupError):
        dhtlab.run(SMALL, progress=fail)


LONG = {
    **SMALL,
    "repetitions": 40,
    "overlay": {"nodes": 300, "protocol": "vhash"},
    "underlay": {"model": "euclidean", "nodes": 600},
    "time": {"measure": "1 h"},
    "sweep": {},
}


def test_an_interrupt_keeps_finished_runs(tmp_path):
    count = [0]

    def progress(done, total):
        count[0] = done
        if done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt) as raised:
        dhtlab.run(LONG, out=tmp_path, name="long", progress=progress)
    results = raised.value.results
    assert 2 <= results.finished < results.planned == 40
    assert time.monotonic() - started < 60
    again = dhtlab.load(tmp_path / "long")
    assert again.finished == results.finished and not again.is_complete


def test_other_threads_run_meanwhile():
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.001):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    run({**LONG, "repetitions": 2, "time": {"measure": "5 min"}})
    stop.set()
    thread.join()
    assert len(ticks) > 20


def test_the_command(tmp_path):
    def command(*arguments, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "dhtlab", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        )
        assert done.returncode == code, done.stderr
        return done.stdout

    assert command("--version").startswith("dhtlab ")
    assert "chord-path-length" in command("list")
    command("new", "mine")
    lines = command("run", "mine.toml", "--quiet", "--json", "--set", "repetitions=1")
    objects = [json.loads(line) for line in lines.splitlines()]
    assert [one["swept"]["overlay.nodes"] for one in objects] == sorted(
        one["swept"]["overlay.nodes"] for one in objects
    ) or len(objects) == 4
    command("run", "no-such-scenario", code=2)


def test_dotted_keys_join_tables_and_conflicts_are_refused():
    base = {key: value for key, value in SMALL.items() if key not in ("sweep", "overlay")}
    both = run(
        {**base, "overlay.chord.successors": 4, "overlay": {"nodes": 20, "chord": {"base": 4}}, "repetitions": 1}
    )
    assert both.finished == 1
    by_hand = {"overlay": {"nodes": 20, "chord": {"base": 4, "successors": 4}}, "repetitions": 1}
    assert both.runs.to_dict()["run"] == run({**base, **by_hand}).runs.to_dict()["run"]
    for wrong in ({"overlay": 3, "overlay.nodes": 5}, {"overlay.nodes": 5, "overlay": {"nodes": 7}}):
        with pytest.raises(ValueError, match="two values"):
            run({**base, **wrong})


def test_arrays_are_lists_and_other_values_are_refused():
    numpy = pytest.importorskip("numpy")
    base = {key: value for key, value in SMALL.items() if key != "sweep"}
    results = dhtlab.sweep(base, {"overlay.nodes": numpy.array([20, 40])}, progress=False)
    assert results.runs.to_dict()["overlay.nodes"] == [20, 20, 40, 40]
    with pytest.raises(TypeError, match="a list of values"):
        dhtlab.sweep(base, {"overlay.protocol": "chord"}, progress=False)
    for value in ({1, 2}, b"bytes", object()):
        with pytest.raises(TypeError, match="no value of type"):
            run({**base, "title": value})


def test_swept_fractions_are_numbers_fresh_and_loaded(tmp_path):
    scenario = {**SMALL, "churn": {"model": "failures"}, "sweep": {"churn.failures.fraction": [0.0, 0.5]}}
    fresh = run(scenario, out=tmp_path, name="fractions").runs.to_dict()
    assert fresh["churn.failures.fraction"] == [0.0, 0.0, 0.5, 0.5]
    assert dhtlab.load(tmp_path / "fractions").runs.to_dict() == fresh
    assert run(scenario, out=tmp_path, name="fractions").runs.to_dict() == fresh


def test_changed_results_and_those_of_another_experiment_are_refused(tmp_path):
    run(out=tmp_path, name="mine")
    with pytest.raises(ValueError, match="results of experiment"):
        run("experiment = 'mashing'\n", out=tmp_path, name="mine")
    file = tmp_path / "mine" / "runs.csv"
    file.write_text(file.read_text().replace("0", "1"))
    with pytest.raises(ValueError, match="runs.csv"):
        dhtlab.load(tmp_path / "mine")


def test_tables_that_are_not_wanted_are_left_out(tmp_path):
    scenario = {**SMALL, "tables": []}
    assert list(run(scenario)) == list(run(scenario, out=tmp_path)) == ["runs"]


def test_runs_in_two_threads_do_not_disturb_each_other():
    alone = run().runs.to_dict()
    seen = {}

    def fail(done, total):
        raise LookupError("no more")

    def one():
        with pytest.raises(LookupError):
            dhtlab.run({**LONG, "repetitions": 4}, progress=fail)
        seen["failed"] = True

    def other():
        seen["runs"] = run().runs.to_dict()

    threads = [threading.Thread(target=target) for target in (one, other, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen["failed"] and seen["runs"] == alone


def test_parquet_beside_csv(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    scenario = tmp_path / "small.toml"
    scenario.write_text(
        'experiment = "network"\nunderlay = { model = "constant", nodes = 50 }\nworkload.lookups = 30\n'
        'sweep = { "overlay.nodes" = [10, 20] }\n'
    )

    def command(*arguments):
        subprocess.run([sys.executable, "-m", "dhtlab", "run", str(scenario), *arguments], check=True, capture_output=True)

    for out in ("one", "other"):
        command("--out", str(tmp_path / out), "--format", "parquet")
    one, other = (tmp_path / out / "small" for out in ("one", "other"))
    for name in ("runs", "histogram"):
        assert (one / f"{name}.parquet").read_bytes() == (other / f"{name}.parquet").read_bytes()
        frame = pandas.read_parquet(one / f"{name}.parquet")
        pandas.testing.assert_frame_equal(frame, dhtlab.load(one)[name].to_pandas())
    mine = one / "mine.parquet"
    mine.write_bytes(b"of the user")
    command("--out", str(tmp_path / "one"), "--repetitions", "2")
    # Tables of an earlier run would be misleading; other files stay.
    assert not (one / "runs.parquet").exists() and mine.exists()


def test_results_go_to_other_processes(tmp_path):
    results = run(out=tmp_path)
    for one in (results, dhtlab.load(results.folder)):
        other = pickle.loads(pickle.dumps(one))
        assert list(other) == list(one) and (other.finished, other.planned) == (4, 4)
        assert other.runs.to_dict() == one.runs.to_dict()
        assert other.runs.to_arrow().equals(one.runs.to_arrow())
        assert other.notes == one.notes and other.folder == one.folder
    interrupted = pickle.loads(pickle.dumps(dhtlab.Interrupted(results)))
    assert interrupted.results.finished == 4


def test_all_errors_of_a_text_are_told():
    with pytest.raises(dhtlab.ScenarioError) as raised:
        run('experiment = "network"\n[overlay]\nnods = 3\nnodes = -1\n')
    assert raised.value.line == 3 and len(raised.value.others) == 1
    assert "overlay.nodes: expected" in raised.value.others[0]


def test_the_package_imports_the_rest_when_it_is_used():
    code = (
        "import sys, dhtlab.__main__; assert 'dhtlab._api' not in sys.modules; "
        "from dhtlab import *; assert callable(run) and callable(explain); "
        "assert set(dhtlab.__all__) <= set(dir(dhtlab)); assert not hasattr(dhtlab, 'rnu')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
