#!/usr/bin/env bash
#SBATCH --job-name=dhtlab
#SBATCH --cpus-per-task=1
#SBATCH --output=%x-%A-%a.log
# Runs a scenario in shards as a job array of Slurm, and joins them in a job that waits for the array:
#
#     scenarios/cluster/slurm-array.sh SHARDS SCENARIO [OPTIONS OF `dhtlab run`]
#
# on a machine from which jobs are submitted. DHTLAB is the command (default: dhtlab), OUT the folder of
# results (default: results), which all nodes see. Slurm itself reads SBATCH_PARTITION, SBATCH_TIMELIMIT,
# SBATCH_ACCOUNT and others of the kind. A shard that failed or ran out of time goes on where it was with
#
#     sbatch --array=3,7 scenarios/cluster/slurm-array.sh SHARDS SCENARIO [OPTIONS]
set -euo pipefail

if [ $# -lt 2 ]; then
    sed -n '5,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
fi
dhtlab=${DHTLAB:-dhtlab}
out=${OUT:-results}

if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
    shards=$1
    scenario=$2
    shift 2
    exec "$dhtlab" run "$scenario" --out "$out" --jobs "${SLURM_CPUS_PER_TASK:-1}" "$@" \
        --shard "$SLURM_ARRAY_TASK_ID/$shards"
elif [ "$1" = merge ]; then
    exec "$dhtlab" merge "$out/$(basename "$3" .toml)".shard-*-of-"$2"
else
    array=$(sbatch --parsable --array="1-$1" "$0" "$@")
    merge=$(sbatch --parsable --dependency="afterok:$array" --kill-on-invalid-dep=yes \
        --output=%x-%j-merge.log "$0" merge "$1" "$2")
    echo "shards: job array $array; merge: job $merge"
fi
