"""Draws docs/manual/figures/speed.svg from speed.csv. Needs matplotlib: python docs/figures/speed.py"""

import csv
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

HERE = Path(__file__).parent
# The same bytes on every run.
plt.rcParams.update({"svg.hashsalt": "dhtlab", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 11})

curves: dict[str, list[tuple[int, float]]] = {}
with open(HERE / "speed.csv", encoding="utf-8") as file:
    for row in csv.DictReader(line for line in file if not line.startswith("#")):
        curves.setdefault(row["protocol"], []).append((int(row["nodes"]), float(row["seconds"])))

figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"]
markers = ["o", "s", "^", "D", "v"]
for (protocol, points), colour, marker in zip(curves.items(), colours, markers):
    nodes, seconds = zip(*points)
    axes.plot(nodes, seconds, color=colour, marker=marker, label=protocol)
axes.axhline(60, color="black", linestyle=":", linewidth=1)
axes.text(1000, 66, "as fast as the simulated network", va="bottom")
axes.set(xscale="log", yscale="log", xlabel="nodes", ylabel="seconds of wall time", ylim=(0.03, 200))
axes.set_xticks([1000, 10000, 100000], ["1,000", "10,000", "100,000"])
axes.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
axes.minorticks_off()
axes.set_title("A simulated minute with maintenance and 10,000 lookups, one core", fontsize=11)
axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
axes.spines[["top", "right"]].set_visible(False)
figure.savefig(HERE.parent / "manual" / "figures" / "speed.svg", metadata={"Date": None})
