//! Renewal theory compared with the plans: participants online, session lengths, and departures.
//!
//! Alternating sessions and absences are an alternating renewal process (Cox, Renewal Theory,
//! 1962): long after its beginning a participant is online with probability `E up / (E up + E
//! down)`, and of n participants `n / (E up + E down)` depart per second.
//!
//! Tests use one seed; `DHTLAB_SEEDS=50` in the environment makes them use 50.

use super::tests::{at, population};
use super::*;
use crate::engine::Duration;

/// How many are online at `from`, and how many depart and join from then until `to`.
fn count(population: InitialPopulation, from: Instant, to: Instant) -> (usize, usize, usize) {
    let (mut there, mut gone, mut come) = (population.here.len(), 0, 0);
    for step in population.plan.take_while(|step| step.time <= to) {
        match (step.change, step.time > from) {
            (Change::Join, false) => there += 1,
            (_, false) => there -= 1,
            (Change::Join, true) => come += 1,
            (_, true) => gone += 1,
        }
    }
    (there, gone, come)
}

/// The churn of sessions `up` and absences `down`, starting with `presence`.
fn sessions(up: &str, down: &str, presence: &str) -> String {
    format!(
        "churn.model = 'sessions'\nchurn.sessions.up = {up}\nchurn.sessions.down = {down}\n\
         churn.sessions.presence = '{presence}'"
    )
}

/// The seeds of the tests.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let count = std::env::var("DHTLAB_SEEDS").ok();
    1..=count.and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// Five standard deviations of a binomial count with probability `share` of `n`.
fn binomial(n: usize, share: f64) -> f64 {
    5.0 * libm::sqrt(n as f64 * share * (1.0 - share))
}

/// In equilibrium the numbers online, joining and departing follow theory from the first hour on,
/// for each family and the heaviest tails, with the seeds of a whole sweep.
#[test]
fn the_equilibrium_is_that_of_renewal_theory() {
    for seed in seeds() {
        let hour = 3600.0;
        let lognormal = |mu: f64, sigma: f64| hour * libm::exp(mu + sigma * sigma / 2.0);
        let weibull = |shape: f64, scale: f64| hour * scale * libm::tgamma(1.0 + 1.0 / shape);
        let measured = |name: &str, family: &str| {
            format!(
                "churn.model = 'sessions'\nchurn.sessions.measured = '{name}'\n\
             churn.sessions.family = '{family}'\nchurn.sessions.presence = 'equilibrium'"
            )
        };
        let given = |up: &str, down: &str| sessions(up, down, "equilibrium");
        for (text, up, down) in [
            // .894 of 20,000 are online, and 71 depart per hour.
            (
                measured("pl05", "lognormal"),
                lognormal(1.44, 2.86),
                lognormal(0.40, 2.45),
            ),
            (
                measured("pl05", "weibull"),
                weibull(0.33, 19.35),
                weibull(0.36, 5.59),
            ),
            (
                measured("g5k06", "weibull"),
                weibull(0.48, 14.37),
                weibull(0.35, 0.47),
            ),
            (
                given(
                    "{ distribution = 'pareto', scale = '10 min', shape = 1.1 }",
                    "{ distribution = 'pareto', scale = '10 min', shape = 1.1 }",
                ),
                600.0 * 11.0,
                600.0 * 11.0,
            ),
            (given("'2 h'", "'30 min'"), 7200.0, 1800.0),
            (
                given(
                    "{ distribution = 'uniform', low = '0 s', high = '4 h' }",
                    "{ distribution = 'exponential', mean = '1 h' }",
                ),
                7200.0,
                3600.0,
            ),
            (
                given(
                    "{ distribution = 'normal', mean = '1 h', sd = '10 min' }",
                    "'3 h'",
                ),
                3600.0,
                10800.0,
            ),
        ] {
            let nodes = 20_000;
            let share = up / (up + down);
            let (there, gone, come) =
                count(population(&text, nodes, seed), Instant::START, at(3600));
            let there = there as f64 - share * nodes as f64;
            assert!(
                there.abs() <= binomial(nodes, share),
                "{text}: {there} more"
            );
            // Long-tailed sessions and absences cluster: a departure soon after a join is likely,
            // so counts vary more than those of a Poisson process. This is eight standard
            // deviations of such a process; short fixed or uniform spans vary less.
            let expected = nodes as f64 * hour / (up + down);
            let tolerance = 8.0 * libm::sqrt(expected);
            for (what, count) in [("go", gone), ("come", come)] {
                let off = count as f64 - expected;
                assert!(
                    off.abs() <= tolerance,
                    "{text}: {count} {what}, not {expected}"
                );
            }
        }
    }
}

/// Any other start reaches the same equilibrium in a long run: as many are online, and as many
/// depart.
#[test]
fn a_long_run_from_any_start_comes_to_the_equilibrium() {
    for seed in seeds() {
        for (up, down) in [
            (
                "{ distribution = 'weibull', scale = '10 s', shape = 0.6 }",
                "{ distribution = 'lognormal', median = '5 s', sigma = 1.0 }",
            ),
            (
                "{ distribution = 'exponential', mean = '20 s' }",
                "{ distribution = 'uniform', low = '0 s', high = '20 s' }",
            ),
            (
                "{ distribution = 'pareto', scale = '5 s', shape = 2.5 }",
                "{ distribution = 'normal', mean = '10 s', sd = '5 s' }",
            ),
        ] {
            let nodes = 5000;
            let (from, to) = (at(3000), at(3010));
            let late = count(
                population(&sessions(up, down, "all"), nodes, seed),
                from,
                to,
            );
            let text = sessions(up, down, "equilibrium");
            let early = count(population(&text, nodes, 1000 + seed), at(0), at(10));
            // Two independent binomial counts, or nearly Poisson counts.
            let there = late.0.abs_diff(early.0) as f64;
            let share = early.0 as f64 / nodes as f64;
            let tolerance = std::f64::consts::SQRT_2 * binomial(nodes, share);
            assert!(there <= tolerance, "{up}, {down}: {late:?}, {early:?}");
            let gone = late.1.abs_diff(early.1) as f64;
            let tolerance = 5.0 * libm::sqrt((late.1 + early.1) as f64);
            assert!(gone <= tolerance, "{up}, {down}: {late:?}, {early:?}");
        }
    }
}

/// An equilibrium is stationary: the remainder of the current session and the sessions after it
/// give the same share at any later moment.
#[test]
fn an_equilibrium_stays_one() {
    for seed in seeds() {
        let up = "{ distribution = 'weibull', scale = '10 s', shape = 0.5 }";
        let text = sessions(up, "'7 s'", "equilibrium");
        // Gamma(3) = 2.
        let share = 20.0 / 27.0;
        let nodes = 5000;
        for seconds in [0, 1, 3, 10, 30, 100, 300] {
            let (there, ..) = count(population(&text, nodes, seed), at(seconds), at(seconds));
            let off = there as f64 - share * nodes as f64;
            assert!(
                off.abs() <= binomial(nodes, share),
                "{seconds} s: {off} more"
            );
        }
    }
}

/// With `per-second` a session is the immune time and a geometric number of seconds, and an absence
/// is `wait`.
#[test]
fn each_second_as_many_go_as_the_probability_says() {
    for seed in seeds() {
        let text = "churn.model = 'per-second'\nchurn.per-second.probability = 0.02\n\
                churn.per-second.wait = '10 s'\nchurn.per-second.immunity = '30 s'";
        let (nodes, from, to) = (1000, 2000, 4000);
        let (there, gone, come) = count(population(text, nodes, seed), at(from), at(to));
        let up = 30.0 + 0.98 / 0.02;
        let share = up / (up + 10.0);
        let off = there as f64 - share * nodes as f64;
        assert!(off.abs() <= binomial(nodes, share), "{off} more");
        let expected = nodes as f64 * (to - from) as f64 / (up + 10.0);
        // The renewal period deviates by less than its mean: the counts vary less than Poisson
        // counts.
        let tolerance = 5.0 * libm::sqrt(expected);
        for count in [gone, come] {
            let off = count as f64 - expected;
            assert!(off.abs() <= tolerance, "{count}, not {expected}");
        }
    }
}

/// With `rates` the network grows by joins minus departures, with the deviation of a random walk.
#[test]
fn a_network_grows_by_its_rates() {
    for seed in seeds() {
        for (joins, leaves) in [(0.3, 0.0), (0.2, 0.2), (0.5, 0.1)] {
            let text = format!(
                "churn.model = 'rates'\nchurn.rates.joins = {joins:?}\nchurn.rates.leaves = {leaves:?}"
            );
            let seconds = 10_000;
            let (there, ..) = count(population(&text, 1000, seed), at(seconds), at(seconds));
            let expected = 1000.0 + (joins - leaves) * seconds as f64;
            let tolerance = 5.0 * libm::sqrt((joins + leaves) * seconds as f64);
            let off = there as f64 - expected;
            assert!(
                off.abs() <= tolerance,
                "{joins}, {leaves}: {there}, not {expected}"
            );
        }
    }
}

/// An infinite mean has no equilibrium and is refused; a start with all participants online is
/// accepted.
#[test]
fn who_has_no_mean_has_no_equilibrium() {
    let endless = "{ distribution = 'pareto', scale = '1 min', shape = 1.0 }";
    let short = "'1 min'";
    for (up, down, key) in [(endless, short, "up"), (short, endless, "down")] {
        let text = sessions(up, down, "equilibrium");
        let problem = tests::churn(&text, 10).expect_err("no mean");
        assert_eq!(problem.key, format!("churn.sessions.{key}"));
        assert!(problem.message.contains("has no mean"), "{problem}");
    }
    let text = sessions(endless, short, "all");
    tests::churn(&text, 10).expect("no equilibrium is needed");
    // The remainder of a constant session is uniform.
    let text = sessions("'100 s'", "'100 s'", "equilibrium");
    let plan = population(&text, 10_000, 7).plan;
    let first = plan.take_while(|step| step.time < Instant::START + Duration::from_secs(25));
    let off = first.count() as f64 - 2500.0;
    assert!(off.abs() <= binomial(10_000, 0.25), "{off}");
}
