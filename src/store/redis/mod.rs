//! The store on a Redis server, which several processes and machines use at once. All that changes
//! jobs is done by scripts, each of which the server runs as a whole.

mod address;
mod failure;
mod finish;
mod insert;
mod keeper;
mod links;
mod manage;
mod old_layout;
mod record;
mod redis_store;
mod restore;
mod rows;
mod schedules;
mod scripts;
mod server_check;
mod states;
mod work;

#[cfg(test)]
mod old_layout_tests;
#[cfg(test)]
mod repeated_tests;
#[cfg(test)]
pub mod test_server;
#[cfg(test)]
mod tests;

pub use redis_store::RedisStore;

/// All keys begin with it. The braces keep them in one place where a proxy spreads keys over servers.
const PREFIX: &str = "{auton8n}";
