//! Why a command failed.

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Invalid input.
    #[error("{0}")]
    Input(String),
    /// A failure during execution.
    #[error("{0}")]
    Run(String),
}

impl Failure {
    /// The exit code of the command.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Run(_) => 1,
        }
    }
}
