//! The embedded store, `SQLite`, owned by one thread that commits in groups. Another one syncs them.

mod add;
mod adding;
mod checkpointer;
mod claim;
mod database;
mod ending;
mod failure;
mod finish;
mod front;
mod insert;
mod limited;
mod lists;
mod manage;
mod migrations;
mod next;
mod notes;
mod pack;
mod place;
mod plain_add;
mod release;
mod rows;
mod salvage;
mod schedules;
mod sqlite_store;
mod starts;
mod syncer;
mod task;
mod window;
mod working;
mod writer;

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod front_tests;
#[cfg(test)]
mod pack_damage_tests;
#[cfg(test)]
mod pack_tests;
#[cfg(test)]
mod tests;

pub use sqlite_store::SqliteStore;

/// One statement of `src/store/sql/`.
macro_rules! sql {
    ($($name:literal),+) => {
        concat!($(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/sql/", $name, ".sql"))),+)
    };
}
use sql;
