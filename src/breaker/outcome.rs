//! What goes into a breaker and comes out of it.

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    Failure,
    /// It took longer than it may: a failure too.
    Timeout,
    /// It says nothing about the health of what was called: a wrong request, a cancelled one.
    Ignored,
}

/// What happened, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerEvent {
    Success,
    Failure,
    Timeout,
    Rejected,
    Open,
    HalfOpen,
    Close,
}

/// Leave for one call, given back with [`Breaker::record`].
#[derive(Debug)]
pub struct Permit {
    pub(super) id: u32,
    pub(super) generation: u32,
}

/// Generations wrap here, so that a permit fits into the 53 bits of a JavaScript number.
pub(super) const GENERATIONS: u32 = 1 << 20;

impl Permit {
    /// The permit as two numbers, for a caller on the other side of a border.
    pub const fn into_parts(self) -> (u32, u32) {
        (self.id, self.generation)
    }

    /// The permit of [`Permit::into_parts`]. One that was never given changes only counters.
    pub const fn from_parts(id: u32, generation: u32) -> Self {
        Self { id, generation }
    }
}
