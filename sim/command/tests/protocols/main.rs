//! The library through its public interface: protocols in networks built by hand, and their
//! underlays.

mod applications;
mod chord;
mod chord_churn;
mod chord_zave;
mod file_job;
mod job;
mod kademlia;
mod koorde;
#[path = "../measured_data/mod.rs"]
mod measured_data;
mod pastry;
mod providers;
mod recording;
mod rejoin;
mod storage;
mod storage_placement;
mod sybils;
mod testbed;
mod underlay;
mod urdht;
mod vhash;
mod vhash_churn;
