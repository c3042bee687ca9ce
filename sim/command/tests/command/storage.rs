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
        "puts_refused",
        "puts_failed",
        "puts_bytes",
        "puts_hops_mean",
        "puts_latency_ms_mean",
        "puts_latency_ms_p50",
        "puts_latency_ms_p99",
        "gets",
        "gets_ok",
        "gets_wrong",
        "gets_deleted",
        "gets_failed",
        "gets_missing",
        "gets_abandoned",
        "gets_bytes",
        "gets_hops_mean",
        "deletes",
        "deletes_ok",
        "deletes_wrong",
        "deletes_failed",
        "deletes_hops_mean",
        "deletes_latency_ms_mean",
        "deletes_latency_ms_p50",
        "deletes_latency_ms_p99",
        "success_rate",
        "contents_refused",
        "copies_refused",
        "copies_full",
        "blocks",
        "blocks_lost",
        "lost_rate",
        "copies_mean",
        "blocks_at_root",
        "files",
        "keyfiles_lost",
        "files_lost",
        "blocks_per_node_max",
        "blocks_per_node_mean",
        "requests_per_node_max",
        "requests_per_node_mean",
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

/// The outcomes of each kind of request add up, under churn and for each placement; the tables of
/// loads agree with the metrics; bytes do not depend on threads.
#[test]
fn requests_of_all_kinds_add_up() {
    let lab = Lab::new();
    let text = format!(
        "{HEAD}{CHURN}[storage]\nblocks = 100\nblock-size = 100\ngets = 300\nputs = 50\n\
         deletes = 40\nfiles = 20\nrepair = \"5 s\"\nreplicas = 4\npopularity = \"zipf\"\n\
         file-size = {{ distribution = \"uniform\", low = 1, high = 600 }}\n\
         [sweep]\n\"storage.placement\" = [\"nearest\", \"spread\", \"random\"]\n"
    );
    lab.write("s.toml", text);
    for (out, jobs) in [("out", "1"), ("two", "2")] {
        lab.succeed(&["run", "s.toml", "--out", out, "--jobs", jobs]);
    }
    assert_eq!(lab.tables("out"), lab.tables("two"));
    let runs = lab.table("out/s/runs.csv");
    for row in 0..3 {
        let of = |column: &str| runs.numbers(column)[row];
        assert_eq!(of("puts"), 100.0 + 20.0 + 50.0);
        assert_eq!(
            of("puts_ok") + of("puts_refused") + of("puts_failed"),
            170.0
        );
        assert!(of("puts_ok") > 160.0);
        assert_eq!(of("gets"), 300.0);
        let outcomes = ["gets_ok", "gets_wrong", "gets_deleted", "gets_failed"];
        assert_eq!(outcomes.map(of).iter().sum::<f64>(), 300.0);
        assert_eq!(of("gets_wrong"), 0.0);
        assert!(of("gets_deleted") > 0.0 && of("success_rate") > 0.95);
        assert_eq!(of("deletes"), 40.0);
        assert_eq!(of("deletes_ok") + of("deletes_failed"), 40.0);
        assert_eq!(of("deletes_wrong"), 0.0);
        // What is there at the end: what was put, without the deletions.
        let there = of("blocks") + of("files");
        assert_eq!(there, of("puts_ok") - 40.0);
        assert!(of("files_lost") >= of("keyfiles_lost"));
        // log2(60) / 2 is 3; under churn some paths are longer.
        for column in ["puts_hops_mean", "gets_hops_mean", "deletes_hops_mean"] {
            assert!((1.0..5.0).contains(&of(column)), "{column} {}", of(column));
        }
    }
    let load = lab.table("out/s/load.csv");
    let columns = [
        "run",
        "repetition",
        "storage.placement",
        "blocks_stored",
        "bytes",
        "requests",
    ];
    assert_eq!(load.columns, columns);
    let placements = load.column("storage.placement");
    for (row, placement) in ["nearest", "spread", "random"].iter().enumerate() {
        for (column, metric) in [
            ("blocks_stored", "blocks_per_node"),
            ("requests", "requests_per_node"),
        ] {
            let all = placements.iter().zip(load.numbers(column));
            let of: Vec<f64> = all
                .filter(|(of, _)| of == &placement)
                .map(|(_, x)| x)
                .collect();
            let max = of.iter().copied().fold(0.0, f64::max);
            assert_eq!(runs.numbers(&format!("{metric}_max"))[row], max);
            let mean = of.iter().sum::<f64>() / of.len() as f64;
            assert!((runs.numbers(&format!("{metric}_mean"))[row] - mean).abs() < 1e-9);
        }
    }
}

/// Keys that have no effect, or their defaults, do not change the identity of a run.
#[test]
fn keys_without_effect_give_the_same_run() {
    let lab = Lab::new();
    let text = format!("{HEAD}[storage]\nblocks = 20\nblock-size = 100\ngets = 20\n");
    lab.write("a.toml", text.clone());
    lab.write(
        "b.toml",
        format!(
            "{text}files = 0\nfile-size = 9\nputs = 0\nplacement = \"nearest\"\n\
             popularity-exponent = 2.0\n"
        ),
    );
    let id = |name: &str| {
        lab.succeed(&["run", &format!("{name}.toml"), "--out", "out"]);
        lab.table(&format!("out/{name}/runs.csv")).column("run")[0].to_owned()
    };
    assert_eq!(id("a"), id("b"));
}

/// Zipf's law makes few nodes answer most requests. A get that may ask any copy spreads them.
#[test]
fn popular_blocks_load_their_roots() {
    let lab = Lab::new();
    let text = format!(
        "{HEAD}[storage]\nblocks = 200\nblock-size = 100\ngets = 3000\nreplicas = 4\n\
         [sweep]\n\"storage.popularity\" = [\"uniform\", \"zipf\"]\n\
         \"storage.placement\" = [\"nearest\", \"spread\"]\n"
    );
    lab.write("s.toml", text);
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let most = lab.table("out/s/runs.csv").numbers("requests_per_node_max");
    let [uniform, _, zipf, zipf_spread] = most[..] else {
        panic!("{most:?}");
    };
    // The first of 200 blocks has 1 / (ln 200 + 0.58) = 17 % of all gets.
    assert!(
        zipf > 450.0 && zipf > uniform && zipf > 1.5 * zipf_spread,
        "{most:?}"
    );
}

/// A file that the network cannot hold is refused, and the run says how many were.
#[test]
fn a_file_larger_than_the_network_is_refused() {
    let lab = Lab::new();
    let text = format!(
        "{HEAD}[storage]\nblocks = 1\nblock-size = 100\nfiles = 2\nfile-size = 100_000\n\
         capacity = 1000\ngets = 10\nreplicas = 3\n[sweep]\n\
         \"storage.placement\" = [\"nearest\", \"spread\"]\n"
    );
    lab.write("s.toml", text);
    lab.succeed(&["run", "s.toml", "--out", "out"]);
    let runs = lab.table("out/s/runs.csv");
    // The block may be refused, too.
    assert!(
        runs.numbers("puts_refused")
            .iter()
            .all(|refused| *refused >= 2.0)
    );
    assert_eq!(runs.numbers("files"), [0.0; 2]);
    assert!(
        lab.table("out/s/load.csv")
            .numbers("bytes")
            .iter()
            .all(|bytes| *bytes <= 1000.0)
    );
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
            (
                "[storage]\nreplicas = 2\nplacement = \"near\"\n",
                &[],
                "bad.toml:10: storage.placement: expected one of \"nearest\", \"spread\", \"random\", \
                 found \"near\"",
            ),
            (
                "[storage]\nreplicas = 2\ncapacity = 0\n",
                &[],
                "bad.toml:10: storage.capacity: expected an integer ...",
            ),
            (
                "[storage]\nreplicas = 2\nfile-size = 0\n",
                &[],
                "bad.toml:10: storage.file-size: expected an integer, or a table ...",
            ),
            (
                "[storage]\nreplicas = 2\nfile-size = { distribution = \"uniform\", low = 9 }\n",
                &[],
                "bad.toml:10: storage.file-size: a distribution of this kind needs the key `high`",
            ),
            (
                "[storage]\nreplicas = 2\npopularity = \"zip\"\n",
                &[],
                "bad.toml:10: storage.popularity: expected one of \"uniform\", \"zipf\", found \"zip\"",
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
