//! Plain jobs that wait, many in one row: a job that comes and goes by itself costs a part of a row, and never a row.
//!
//! A *pack* holds jobs of one queue, name and priority whose places follow one another. Its head says which of them
//! are gone; the jobs themselves lie in *chunks*, each of one page, which are never rewritten. Whatever is more than to
//! start and to end takes the job out of its pack first: it is a row from then on, with the same place and id.

mod chunk;
mod heads;
mod insert;
mod look;
mod take_out;
mod waiting;

pub use chunk::{Chunk, Entry, Line, Packed};
pub use heads::{Heads, clear, end, flush};
pub use insert::{fits, insert, is_plain};
pub use look::{at, before, count, find, list, place};
pub use take_out::{State, WAITING, by_id, take_out};
pub use waiting::{first, first_priority, later_priority, waiting, waits};

/// The jobs of a pack, at most and at least; fewer are rows.
pub const MOST: usize = 256;
pub const LEAST: usize = 8;
/// The jobs of a chunk, at most: as many as one damaged page costs.
pub const CHUNK: usize = 64;
/// The ids of a pack were made within so many milliseconds, so that a job is found by its id.
pub const SPAN: u64 = 1_000;
