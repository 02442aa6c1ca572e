//! Counts, in tests only, what is read beside the one pass over a text: near-matches repeated without end must
//! not make it read the same bytes again and again.

#[cfg(test)]
thread_local! {
    static COUNT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// So many bytes are looked at once more.
#[inline]
pub fn looked_at(bytes: usize) {
    #[cfg(test)]
    COUNT.set(COUNT.get() + bytes);
    #[cfg(not(test))]
    let _ = bytes;
}

/// What this thread has looked at since it was last asked.
#[cfg(test)]
pub fn taken() -> usize {
    COUNT.replace(0)
}
