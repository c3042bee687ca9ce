//! The command `dhtlab` as a user runs it: on scenario files, in a folder of its own, judged by
//! its exit code, what it prints and what it writes.

mod balance;
mod both_protocols;
mod chromium;
mod churn;
mod cluster;
mod columns;
mod determinism;
mod diagram;
mod docs;
mod figures_refused;
mod files_refused;
mod forecasts;
mod golden;
mod interruption;
mod job;
mod key_space;
mod keys_refused;
mod lab;
mod locks;
mod manual;
#[path = "../measured_data/mod.rs"]
mod measured_data;
mod memory;
mod options_refused;
mod player;
mod progress;
mod real_networks;
mod refusal;
mod report;
mod results;
mod resume;
mod shards;
mod shipped;
mod storage;
mod sweeps_refused;
mod sybils;
mod tables_kept;
mod usage;
mod values_refused;
mod view;
mod volumes;
mod warnings;
