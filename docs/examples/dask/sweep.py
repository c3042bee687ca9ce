"""A sweep whose points run as tasks of Dask, on the cores of this machine or on the workers of a cluster.

    pip install dhtlab[pandas] "dask[distributed]"
    python sweep.py [address of a Dask scheduler]
"""

import sys

import pandas
from dask.distributed import Client, LocalCluster

import dhtlab

SCENARIO = {
    "experiment": "network",
    "repetitions": 3,
    "underlay": {"model": "euclidean", "nodes": 300},
    "overlay": {"protocol": "chord"},
    "workload": {"lookups": 500},
}
NODES = [50, 100, 200]


def point(nodes: int) -> pandas.DataFrame:
    """The runs of one point of the sweep. Any worker makes the same ones."""
    results = dhtlab.sweep(SCENARIO, {"overlay.nodes": [nodes]}, jobs=1, progress=False)
    return results.runs.to_pandas()


def main() -> None:
    cluster = sys.argv[1] if len(sys.argv) > 1 else LocalCluster(n_workers=2, threads_per_worker=1)
    with Client(cluster) as client:
        runs = pandas.concat(client.gather(client.map(point, NODES)), ignore_index=True)
    print(runs.groupby("overlay.nodes")["overlay_hops_mean"].agg(["mean", "sem", "count"]))
    alone = dhtlab.sweep(SCENARIO, {"overlay.nodes": NODES}, progress=False).runs.to_pandas()
    assert runs.equals(alone), "the runs do not depend on where they are made"


if __name__ == "__main__":
    main()
