#!/usr/bin/env bash
# Tries slurm-array.sh on a Slurm of one node that is started for it, as root, in a folder of its own:
#
#     apt-get install --no-install-recommends slurm-wlm munge
#     DHTLAB=target/release/dhtlab scenarios/cluster/slurm-on-this-machine.sh [SHARDS [SCENARIO [OPTIONS]]]
#
# The results of the job array are compared with those of one `dhtlab run`. An installed Slurm is left alone.
set -euo pipefail
cd "$(dirname "$0")/../.."

shards=${1:-4}
scenario=${2:-scenarios/examples/first.toml}
shift $(($# < 2 ? $# : 2))
DHTLAB=$(realpath "$(command -v "${DHTLAB:-dhtlab}")")
dir=$(mktemp -d)
export DHTLAB OUT="$dir/out" SLURM_CONF="$dir/slurm.conf"

daemons=()
stop() {
    for pid in "${daemons[@]}"; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true
    done
    rm -rf "$dir"
}
trap stop EXIT

mkdir -m 755 "$dir/munge" "$dir/state" "$dir/spool"
chmod 755 "$dir"
head -c 1024 /dev/urandom >"$dir/munge/key"
chmod 600 "$dir/munge/key"
munged --foreground --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
    --pid-file="$dir/munge/pid" --seed-file="$dir/munge/seed" --log-file="$dir/munge/log" \
    >"$dir/munge/out" 2>&1 &
daemons+=($!)

node=$(slurmd -C | head -1)
host=${node#NodeName=}
host=${host%% *}
cat >"$SLURM_CONF" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
$node NodeAddr=127.0.0.1 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF

wait_for() {
    for _ in $(seq 300); do
        if eval "$1"; then return 0; fi
        sleep 0.2
    done
    echo "not within a minute: $1" >&2
    tail -n 20 "$dir"/slurm*.log "$dir"/munge/{log,out} >&2 || true
    exit 1
}

wait_for '[ -S "$dir/munge/socket" ]'
slurmctld -D -i >/dev/null 2>&1 &
daemons+=($!)
slurmd -D >/dev/null 2>&1 &
daemons+=($!)
wait_for '[ "$(sinfo -h -o %t 2>/dev/null)" = idle ]'
sinfo

"$DHTLAB" run "$scenario" --out "$dir/one" "$@"
# The logs go where the jobs are submitted from.
top=$PWD
cd "$dir"
case $scenario in /*) ;; *) scenario=$top/$scenario ;; esac
"$top/scenarios/cluster/slurm-array.sh" "$shards" "$scenario" "$@"
wait_for '[ -z "$(squeue -h)" ]'
cat dhtlab-*.log
name=$(basename "$scenario" .toml)
diff -r "one/$name" "out/$name"
echo "$name: $shards shards under Slurm give the bytes of one machine"
