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
mod edited;
mod figures_refused;
mod file_facts;
mod files_refused;
mod foreign;
mod full_disk;
mod golden;
mod interruption;
mod job;
mod key_space;
mod keys_refused;
mod lab;
mod locks;
mod manual;
mod measured;
#[path = "../measured_data/mod.rs"]
mod measured_data;
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
mod streams;
mod sweeps_refused;
mod sybils;
mod tables_kept;
mod theory;
mod usage;
mod values_refused;
mod view;
