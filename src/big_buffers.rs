//! Where big buffers come from: the system itself, to which they go back as soon as they are freed.
//!
//! glibc does the same at first. But with each big buffer that is freed it takes bigger ones from its own memory, up to
//! 32 MB, where the small ones between them keep it from ever giving them back: a process that added a million jobs in
//! big batches held 30 MB of holes. Only this library's buffers are treated so, not those of its host.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

/// From so many bytes on. Smaller ones come and go too often for a call of the system each.
const BIG: usize = 256 * 1024;
/// The alignment that the system gives.
const PAGE: usize = 4_096;

/// The allocator.
#[derive(Clone, Copy, Debug)]
pub struct BigBuffers;

const fn is_big(size: usize, align: usize) -> bool {
    size >= BIG && align <= PAGE
}

fn map(size: usize) -> *mut u8 {
    let (rights, kind) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    // SAFETY: it asks for new memory at no certain place.
    or_null(unsafe { libc::mmap(ptr::null_mut(), size, rights, kind, -1, 0) })
}

fn or_null(found: *mut libc::c_void) -> *mut u8 {
    if found == libc::MAP_FAILED {
        ptr::null_mut()
    } else {
        found.cast()
    }
}

// SAFETY: what is big is mapped, and unmapped by its own size; which of both it is, its layout says each time. All else
// is the system allocator's.
unsafe impl GlobalAlloc for BigBuffers {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_big(layout.size(), layout.align()) {
            return map(layout.size());
        }
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_big(layout.size(), layout.align()) {
            // It is zero already.
            return map(layout.size());
        }
        // SAFETY: as the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if is_big(layout.size(), layout.align()) {
            // SAFETY: it was mapped with that size.
            unsafe { libc::munmap(pointer.cast(), layout.size()) };
        } else {
            // SAFETY: as the caller's.
            unsafe { System.dealloc(pointer, layout) };
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (was, is) = (is_big(layout.size(), layout.align()), is_big(size, layout.align()));
        if was && is {
            // SAFETY: it was mapped with that size.
            return or_null(unsafe { libc::mremap(pointer.cast(), layout.size(), size, libc::MREMAP_MAYMOVE) });
        }
        if !was && !is {
            // SAFETY: as the caller's.
            return unsafe { System.realloc(pointer, layout, size) };
        }
        // SAFETY: the caller's sizes are valid ones, and the two places are apart.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(pointer, moved, layout.size().min(size));
                self.dealloc(pointer, layout);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_keep_what_they_hold_however_they_grow_and_shrink() {
        let sizes = [
            1,
            100,
            BIG - 1,
            BIG,
            BIG + 1,
            9 * BIG,
            3 * BIG,
            BIG,
            BIG - 1,
            50,
            2 * BIG,
            7,
        ];
        let mut layout = Layout::from_size_align(sizes[0], 8).unwrap();
        // SAFETY: each place is read and written within its size, and freed by its layout.
        unsafe {
            let mut buffer = BigBuffers.alloc(layout);
            let mut known = 0;
            for size in sizes {
                buffer = BigBuffers.realloc(buffer, layout, size);
                assert!(!buffer.is_null() && buffer.addr() % 8 == 0);
                layout = Layout::from_size_align(size, 8).unwrap();
                known = size.min(known);
                assert!((0..known).all(|at| *buffer.add(at) == (at % 251) as u8), "{size}");
                (known..size).for_each(|at| *buffer.add(at) = (at % 251) as u8);
                known = size;
            }
            BigBuffers.dealloc(buffer, layout);
        }
    }

    #[test]
    fn new_ones_are_zero_and_aligned() {
        for (size, align) in [(10, 1), (BIG, 1), (BIG, PAGE), (BIG, 4 * PAGE), (4 * BIG, 64)] {
            let layout = Layout::from_size_align(size, align).unwrap();
            // SAFETY: it is read within its size, and freed by its layout.
            unsafe {
                let buffer = BigBuffers.alloc_zeroed(layout);
                assert_eq!(buffer.addr() % align, 0);
                assert!((0..size).all(|at| *buffer.add(at) == 0));
                BigBuffers.dealloc(buffer, layout);
            }
        }
    }

    #[test]
    fn more_than_there_is_is_refused() {
        let layout = Layout::from_size_align(1 << 60, 8).unwrap();
        // SAFETY: nothing is done with it.
        assert!(unsafe { BigBuffers.alloc(layout) }.is_null());
    }
}
