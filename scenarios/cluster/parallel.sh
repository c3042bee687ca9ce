#!/usr/bin/env bash
# Runs a scenario in shards with GNU parallel, one core each, and joins them:
#
#     scenarios/cluster/parallel.sh SHARDS SCENARIO [OPTIONS OF `dhtlab run`]
#
# DHTLAB is the command (default: dhtlab), OUT the folder of results (default: results). GNU parallel
# itself reads options from PARALLEL, such as PARALLEL='--sshloginfile machines --workdir .' for
# machines that share this folder.
set -euo pipefail

if [ $# -lt 2 ]; then
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
fi
shards=$1
scenario=$2
shift 2
dhtlab=${DHTLAB:-dhtlab}
out=${OUT:-results}
name=$(basename "$scenario" .toml)

# -q keeps the spaces of options such as --set 'time.measure=9 s' together.
seq "$shards" | parallel -q --halt soon,fail=1 \
    "$dhtlab" run "$scenario" --out "$out" --jobs 1 "$@" --shard "{}/$shards"
"$dhtlab" merge "$out/$name".shard-*-of-"$shards"
