//! Programs that try to break one limit each, run as a job.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::sys;

/// Touches that many bytes of memory. Under a lower limit the kernel ends it.
pub fn hog(bytes: u64) -> Result<(), String> {
    let mut held = Vec::new();
    for _ in 0..bytes >> 20 {
        held.push(vec![1_u8; 1 << 20]);
    }
    say(&format!("{}", std::hint::black_box(&held).len()))
}

/// Starts that many processes at once and prints how many could be started.
pub fn forks(count: u64) -> Result<(), String> {
    let mut started = 0_u64;
    for _ in 0..count {
        match sys::fork() {
            Ok(0) => {
                std::thread::sleep(Duration::from_secs(5));
                sys::leave(0);
            }
            Ok(_) => started += 1,
            Err(_) => break,
        }
    }
    say(&started.to_string())
}

/// Computes on two processes for that many milliseconds and prints the milliseconds of processor
/// time that they got together.
pub fn spin(milliseconds: u64) -> Result<(), String> {
    let end = Instant::now() + Duration::from_millis(milliseconds);
    let child = sys::fork()?;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
    if child == 0 {
        sys::leave(0);
    }
    sys::wait_for(child);
    let used = sys::processor_us(libc::RUSAGE_SELF) + sys::processor_us(libc::RUSAGE_CHILDREN);
    say(&(used / 1000).to_string())
}

fn say(line: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| error.to_string())
}
