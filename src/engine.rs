//! Composition root: opens the rooms, connects and closes them.
