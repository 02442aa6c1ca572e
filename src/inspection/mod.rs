//! What generated code is: syntax tree, imports, tests; and what the tools said about it.

pub mod tools;
