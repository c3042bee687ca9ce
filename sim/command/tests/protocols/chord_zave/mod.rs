//! Zave's invariant of Chord: her counterexamples replayed on the state machine, and running
//! networks checked after every event.
//!
//! Pamela Zave, "Using lightweight modeling to understand Chord" (CCR 42(2), 2012) and its
//! Alloy model of 15 June 2010.

mod invariant;
mod living;
mod scripts;
