//! The experiment `storage`: the meaning of its columns, and its refusals.

use crate::lab::Lab;
use crate::refusal::compare;

const HEAD: &str = "experiment = \"storage\"\n[underlay]\nmodel = \"euclidean\"\nnodes = 60\n[overlay]\n\
                    nodes = 60\n[overlay.chord]\nsuccessors = 8\njoin = \"announced\"\n[time]\n\
                    transition = \"60 s\"\nmeasure = \"300 s\"\n";

/// Sessions of 5 min on average.
const CHURN: &str = "[churn]\nmodel = \"sessions\"\nbegin = \"60 s\"\n[churn.sessions]\n\
                     up = { distribution = \"weibull\", scale = \"150 s\", shape = 0.5 }\n\
                     down = { distribution = \"weibull\", scale = \"20 s\", shape = 0.5 }\n";

#[test]
fn more_copies_lose_fewer_blocks_and_none_is_wrong() {
    let lab = Lab::new();
    let text = format!(
        "{HEAD}{CHURN}[storage]\nblocks = 300\nblock-size = 100\ngets = 200\n[sweep]\n\
         \"storage.replicas\" = [1, 2, 5]\n"
    );
    lab.write("s.toml", text);
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let runs = lab.table("out/s/runs.csv");
    let expected = [
        "run",
        "repetition",
        "seed",
        "storage.replicas",
        "puts",
        "puts_ok",
        "gets",
        "gets_ok",
        "gets_wrong",
        "gets_failed",
        "gets_abandoned",
        "success_rate",
        "contents_refused",
        "copies_refused",
        "blocks",
        "blocks_lost",
        "lost_rate",
        "copies_mean",
        "blocks_at_root",
        "repair_messages",
        "repair_bytes_per_node_s",
        "bytes_per_node_s",
        "latency_ms_mean",
        "latency_ms_p50",
        "latency_ms_p99",
        "tries_mean",
        "members_mean",
        "joins",
        "leaves",
        "lookups",
        "lookups_ok",
        "messages",
        "events",
    ];
    assert_eq!(runs.columns, expected);
    let of = |column: &str| runs.numbers(column);
    assert_eq!(of("puts"), [300.0; 3]);
    assert_eq!(of("gets"), [200.0; 3]);
    assert_eq!(of("gets_wrong"), [0.0; 3]);
    let [ok, failed, abandoned] = ["gets_ok", "gets_failed", "gets_abandoned"].map(of);
    for i in 0..3 {
        assert_eq!(ok[i] + failed[i], 200.0);
        assert!(abandoned[i] <= failed[i]);
    }
    // One copy goes with its node, of which half are gone by then; of five some are there as long
    // as nodes are replaced within half a minute or so.
    let lost = of("blocks_lost");
    assert!(lost[0] > 100.0 && lost[0] > lost[1], "{lost:?}");
    assert_eq!(lost[2], 0.0, "{lost:?}");
    let bytes = of("repair_bytes_per_node_s");
    assert!(bytes.is_sorted(), "{bytes:?}");
    // The timeline ends with what `runs.csv` says.
    let timeline = lab.table("out/s/timeline.csv");
    let columns = [
        "run",
        "repetition",
        "storage.replicas",
        "time_s",
        "members",
        "blocks_alive",
        "blocks_at_root",
        "copies_mean",
        "gets",
        "gets_ok_rate",
        "repair_bytes_per_node_s",
    ];
    assert_eq!(timeline.columns, columns);
    assert_eq!(timeline.rows.len(), 3 * 20);
    let (alive, blocks) = (timeline.numbers("blocks_alive"), of("blocks"));
    for (i, run) in alive.chunks(20).enumerate() {
        assert!(run.is_sorted_by(|a, b| a >= b), "a block has come back");
        // Requests that are under way at the end take some seconds more.
        assert!(blocks[i] - lost[i] <= run[19]);
    }
}

/// Sybils that forge what they send are found out by the SHA-1; without looking, readers take what
/// they get.
#[test]
fn who_verifies_reads_nothing_forged() {
    let lab = Lab::new();
    let text = format!(
        "{HEAD}[adversary]\nstrategy = \"random\"\nbehaviour = \"forge\"\nsybils = 15\n\
         start = \"61 s\"\nids = \"chosen\"\n[storage]\nblocks = 200\nblock-size = 100\ngets = 400\n\
         replicas = 4\n[sweep]\n\"storage.verify\" = [true, false]\n"
    );
    lab.write("f.toml", text);
    lab.succeed(&["run", "f.toml", "--out", "out"]);
    let runs = lab.table("out/f/runs.csv");
    let [wrong, ok, refused, kept_out] = [
        "gets_wrong",
        "gets_ok",
        "contents_refused",
        "copies_refused",
    ]
    .map(|column| runs.numbers(column));
    assert_eq!(wrong[0], 0.0);
    assert!(wrong[1] > 0.0 && ok[0] > ok[1], "{ok:?} {wrong:?}");
    assert!(refused[0] > 0.0 && kept_out[0] > 0.0);
    assert_eq!((refused[1], kept_out[1]), (0.0, 0.0));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let few = "experiment = \"storage\"\n[overlay]\nnodes = 5\nprotocol = \"vhash\"\n\
               [time]\ntransition = \"60 s\"\nmeasure = \"60 s\"\n";
    compare(
        few,
        &[
            (
                "[storage]\nreplicas = 6\n",
                &[],
                "bad.toml:9: storage.replicas: 6 copies do not fit on 5 nodes",
            ),
            (
                "[storage]\nreplicas = 0\n",
                &[],
                "bad.toml:9: storage.replicas: expected an integer ...",
            ),
            (
                "[storage]\nreplica = 3\n",
                &[],
                "bad.toml:9: storage.replica: unknown key; did you mean `storage.replicas`?",
            ),
            (
                "[storage]\nblock-size = 0\n",
                &[],
                "bad.toml:9: storage.block-size: expected an integer ...",
            ),
            (
                "[storage]\nrepair = \"0 s\"\n",
                &[],
                "bad.toml:9: storage.repair: expected a duration ...",
            ),
            (
                "[storage]\nblocks = 0\n",
                &[],
                "bad.toml:9: storage.blocks: expected an integer ...",
            ),
        ],
    );
    compare(
        "experiment = \"storage\"\n",
        &[
            (
                "[storage]\nreplicas = 18\n[time]\ntransition = \"60 s\"\nmeasure = \"60 s\"\n",
                &[],
                "bad.toml:3: storage.replicas: with `overlay.chord.successors` = 16 a node knows 16 \
                 other nodes for replicas, not 17",
            ),
            (
                "[storage]\nreplicas = 2\n",
                &[],
                "bad.toml: time.transition: expected a time above zero, in the second half of which \
                 blocks are put",
            ),
            (
                "[storage]\nreplicas = 2\n[time]\ntransition = \"60 s\"\n",
                &[],
                "bad.toml:4: time.measure: expected the duration of the phase in which blocks are read",
            ),
        ],
    );
}

/// Two changes a second for some minutes, then ten minutes of quiet: nodes that know too little of each
/// other release copies on which others count, and these notice. Every block that is left has all its
/// copies. Where the ring has split, each part has them, and the run says that it has.
#[test]
fn no_block_stays_a_copy_short() {
    let cases = [
        (include_str!("rivals.csv"), false),
        (include_str!("repaired.csv"), false),
        (include_str!("split.csv"), true),
    ];
    for (trace, has_split) in cases {
        let lab = Lab::new();
        lab.write("trace.csv", trace);
        lab.write(
            "s.toml",
            "experiment = \"storage\"\n[underlay]\nmodel = \"euclidean\"\nnodes = 2000\n[overlay]\n\
             nodes = 100\n[overlay.chord]\nsuccessors = 8\njoin = \"announced\"\n[storage]\n\
             blocks = 3000\nblock-size = 1024\ngets = 2000\nrepair = \"10 s\"\n[time]\n\
             transition = \"1 min\"\nmeasure = \"15 min\"\n[churn]\nmodel = \"trace\"\n\
             trace.file = \"trace.csv\"\n[sweep]\n\"storage.replicas\" = [2, 3]\n",
        );
        lab.succeed(&["run", "s.toml", "--out", "out"]);
        let histogram = lab.table("out/s/histogram.csv");
        let quantities = histogram.column("quantity").into_iter();
        let replicas = histogram.numbers("storage.replicas").into_iter();
        let copies: Vec<(f64, f64)> = quantities
            .zip(replicas.zip(histogram.numbers("value")))
            .filter(|(quantity, _)| *quantity == "copies")
            .map(|(_, of)| of)
            .collect();
        // Those without a copy were lost: crashes are faster than repair.
        if has_split {
            assert!(
                copies
                    .iter()
                    .all(|(replicas, copies)| *copies == 0.0 || copies >= replicas)
            );
        } else {
            assert_eq!(copies, [(2.0, 0.0), (2.0, 2.0), (3.0, 0.0), (3.0, 3.0)]);
        }
        let notes = lab.manifest("out/s")["notes"].to_string();
        let told = "when measuring ended, the ring was not whole";
        assert_eq!(notes.contains(told), has_split, "{notes}");
    }
}
