//! Process 1 of a box, and the launcher of the built-in box.
//!
//! `keeper serve` speaks the frame protocol on its standard input and output. `keeper launch` makes
//! the namespaces, mounts and filters of a built-in box and becomes its process 1. `keeper relay` is a judge
//! that believes nothing: it passes on what the job says, out of the job's reach. `hog`, `forks`
//! and `spin` try to break a limit, so that the engine can prove that it binds.
#![cfg_attr(not(target_os = "linux"), allow(dead_code))]

#[cfg(target_os = "linux")]
mod cgroup;
#[cfg(target_os = "linux")]
mod collect;
#[cfg(target_os = "linux")]
mod identity;
#[cfg(target_os = "linux")]
mod launch;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod prove;
#[cfg(target_os = "linux")]
mod put;
#[cfg(target_os = "linux")]
mod ready;
#[cfg(target_os = "linux")]
mod relay;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod serve;
#[cfg(target_os = "linux")]
mod spawn;
#[cfg(target_os = "linux")]
mod sys;
#[cfg(target_os = "linux")]
mod tap;
#[cfg(target_os = "linux")]
mod wire;

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let amount = || arguments.get(2).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let outcome = match arguments.get(1).map(String::as_str) {
        Some("serve") => serve::serve(&arguments[2..]),
        Some("launch") => launch::launch(),
        Some("relay") => relay::relay(),
        Some("hog") => prove::hog(amount()),
        Some("forks") => prove::forks(amount()),
        Some("spin") => prove::spin(amount()),
        _ => Err("use: keeper serve | launch | relay | hog BYTES | forks COUNT | spin MILLISECONDS".to_owned()),
    };
    if let Err(message) = outcome {
        sys::complain(&message);
        std::process::exit(70);
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {
    std::process::exit(70);
}
