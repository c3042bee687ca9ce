//! Jobs that cannot be, and their errors.

use crate::job::lab;
use crate::refusal::fault_of_refusal;

/// What cannot be is refused, with the key and its line.
#[test]
fn bad_jobs_are_refused() {
    let cases: &[(&[&str], &str)] = &[
        (
            &["job.kind=word-count"],
            "job.text: expected the name of a text file",
        ),
        (
            &["job.kind=word-count", "job.text=no.txt"],
            "job.text: no.txt: cannot be read: No such file",
        ),
        (
            &["job.kind=word-count", "job.text=bad.txt"],
            "job.text: bad.txt: expected UTF-8 text",
        ),
        (
            &["job.kind=word-count", "job.text=empty.txt"],
            "job.text: empty.txt: the text has no words",
        ),
        (
            &["job.kind=word-count", "job.text=blank.txt"],
            "job.text: blank.txt: the text has no words",
        ),
        (
            &["job.kind=word-count", "job.text=short.txt"],
            "job.atoms: expected at most as many atoms as samples, 2, found 60",
        ),
        (&["job.kind=shuffle"], "job.kind: expected one of \"pi\""),
        (
            &["job.replicas=31"],
            "job.replicas: 31 copies do not fit on 30 nodes",
        ),
        (
            &["job.replicas=0"],
            "job.replicas: expected an integer between 1 and 64, found 0",
        ),
        (
            &["job.atoms=6001"],
            "job.atoms: expected at most as many atoms as samples, 6000, found 6001",
        ),
        (
            &["job.atoms=0"],
            "job.atoms: expected an integer between 1 ",
        ),
        (&["job.samples=0"], "job.samples: expected an integer "),
        (
            &[
                "job.kind=word-count",
                "job.input=file",
                "job.corpus.size=1000",
                "storage.replicas=1",
                "balancing.strategy=two-choices",
            ],
            "storage.replicas: blocks move to Sybils and back",
        ),
        (
            &[
                "job.kind=word-count",
                "job.input=file",
                "job.corpus.size=20000000",
                "storage.replicas=3",
                "storage.scale=200",
            ],
            "storage.scale: expected files that stand for at most 2000000000 bytes, found 20000",
        ),
        (
            &["job.start=3 h"],
            "job.start: the run would stop before, at 3610 s",
        ),
        (
            &[
                "time.transition=100 s",
                "job.start=5 s",
                "overlay.start=join",
            ],
            "job.start: nodes join until ",
        ),
        (&["job.repair=0 s"], "job.repair: "),
        (&["job.patience=0 s"], "job.patience: "),
        (
            &["job.reduce-wait=-1 s"],
            "job.reduce-wait: expected a duration",
        ),
        (
            &["nodes.speed=0.0"],
            "nodes.speed: expected a number above 0",
        ),
        (&["nodes.fastest=0"], "nodes.fastest: expected an integer "),
        (
            &["nodes.handling-time=soon"],
            "nodes.handling-time: expected a duration",
        ),
        (&["overlay.nodes=0"], "overlay.nodes: "),
        (&["job.cost=guess"], "job.cost: expected "),
        (
            &["job.cost=stated", "job.compute=modelled"],
            "job.compute: with `job.cost` = \"stated\" tasks have to be executed, by messages",
        ),
        (
            &["job.cost=stated", "job.model=ticks"],
            "job.model: with `job.cost` = \"stated\"",
        ),
        (&["job.iteration.rounds=0"], "job.iteration.rounds: "),
        (&["job.iteration.tolerance=-1"], "job.iteration.tolerance: "),
        (&["job.iteration.clusters=0"], "job.iteration.clusters: "),
        (&["job.iteration.damping=1.5"], "job.iteration.damping: "),
        (&["job.iteration.children=0"], "job.iteration.children: "),
        (
            &["balancing.strategy=luck"],
            "balancing.strategy: expected ",
        ),
        (
            &[
                "balancing.strategy=neighbour-injection",
                "overlay.protocol=vhash",
            ],
            "balancing.strategy: \"neighbour-injection\", \"invitation\", and every strategy in ticks use the arcs",
        ),
        (
            &["balancing.strategy=invitation", "overlay.protocol=kademlia"],
            "balancing.strategy: \"neighbour-injection\", \"invitation\", and every strategy in ticks use the arcs",
        ),
        (
            &["balancing.strategy=smart-neighbour"],
            "balancing.successors: with `overlay.chord.successors` = 4 a node knows 4 successors, not 5",
        ),
        (&["balancing.max-sybils=0"], "balancing.max-sybils: "),
        (&["balancing.threshold=-1.0"], "balancing.threshold: "),
        (&["balancing.interval=0 s"], "balancing.interval: "),
        (&["balancing.wait=0 s"], "balancing.wait: "),
        (&["balancing.imbalance=0.3"], "balancing.imbalance: "),
        (&["job.model=hours"], "job.model: expected one of "),
        (
            &["job.model=ticks", "balancing.strategy=two-choices"],
            "balancing.strategy: in ticks nodes choose or change their own IDs by this strategy",
        ),
        (
            &[
                "job.model=ticks",
                "balancing.strategy=invitation",
                "balancing.successors=4",
                "balancing.interval=2500 ms",
            ],
            "balancing.interval: expected whole ticks (an atom takes 1 s), ",
        ),
        (
            &[
                "job.model=ticks",
                "balancing.strategy=invitation",
                "balancing.successors=4",
                "balancing.interval=100 ms",
            ],
            "balancing.interval: expected whole ticks",
        ),
        (
            &["job.model=ticks", "nodes.speed-distribution=uniform"],
            "nodes.speed-distribution: a tick is the time of an atom on any node",
        ),
        (
            &["job.model=ticks", "overlay.protocol=kademlia"],
            "overlay.protocol: ticks need a ring",
        ),
        (
            &["job.model=ticks", "churn.model=sessions"],
            "churn: a job in ticks has no such key",
        ),
        (
            &[
                "job.model=ticks",
                "adversary.strategy=random",
                "adversary.ips=2",
            ],
            "adversary: a job in ticks has no such key",
        ),
    ];
    let lab = lab("");
    lab.write("bad.txt", b"a b\xff");
    lab.write("empty.txt", "");
    lab.write("blank.txt", ", . !\n");
    lab.write("short.txt", "two words");
    for (settings, expected) in cases {
        let mut arguments = vec!["run", "job.toml", "--out", "out"];
        settings
            .iter()
            .for_each(|key| arguments.extend(["--set", key]));
        let ended = lab.dhtlab(&arguments);
        assert_eq!(
            fault_of_refusal(&lab, &ended),
            None,
            "{settings:?}: {}",
            ended.stderr
        );
        assert!(
            ended.stderr.contains(expected),
            "{settings:?}: {}",
            ended.stderr
        );
    }
}
