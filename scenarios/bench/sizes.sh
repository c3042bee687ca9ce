#!/usr/bin/env bash
# Wall time and memory of one run of each protocol, against the number of nodes. Needs GNU time.
#     sizes.sh [NODES...]
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --release --locked
sizes=("$@")
[ ${#sizes[@]} -gt 0 ] || sizes=(1000 10000 100000)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

echo "protocol,churn,nodes,seconds,megabytes"
for protocol in chord pastry kademlia vhash urdht; do
    for churn in none per-second; do
        for nodes in "${sizes[@]}"; do
            /usr/bin/time -f '%e %M' -o "$out/time" target/release/dhtlab run scenarios/bench/sizes.toml \
                --set overlay.protocol="$protocol" --set churn.model="$churn" --set overlay.nodes="$nodes" \
                --jobs 1 --out "$out/$protocol-$churn-$nodes" >/dev/null 2>&1 || { echo "$protocol,$churn,$nodes,failed,"; continue; }
            read -r seconds kilobytes <"$out/time"
            echo "$protocol,$churn,$nodes,$seconds,$((kilobytes / 1024))"
        done
    done
done
