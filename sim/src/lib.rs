//! dhtlab: a discrete-event simulator of distributed hash tables.

pub mod parameter;

pub mod engine;

pub mod underlay;

pub mod space;

pub mod overlay;

pub mod workload;

pub mod network;

pub mod scenario;

pub mod experiment;

pub mod cli;
