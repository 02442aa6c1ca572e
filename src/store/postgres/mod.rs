//! The store on a `PostgreSQL` server, which several processes and machines use at once.

mod apart;
mod connections;
mod failure;
mod finish;
mod insert;
mod listener;
mod manage;
mod migrations;
mod postgres_store;
mod restore;
mod rows;
mod schedules;
mod work;

#[cfg(test)]
pub mod test_server;
#[cfg(test)]
mod tests;

pub use postgres_store::PostgresStore;

/// One statement of `src/store/postgres/sql/`.
macro_rules! sql {
    ($($name:literal),+) => { concat!($(include_str!(concat!("sql/", $name, ".sql"))),+) };
}
use sql;
