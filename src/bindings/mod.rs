//! The only room that names napi. A border type mirrors its core type; a class holds one `Arc`.

mod breaker;
mod dependencies;
mod engine;
mod error;
mod model;
mod queue;
mod redactor;
mod sandbox;
mod scanner;
mod specification;
mod tracer;

/// Faster than the C library's where several threads hand memory to one another, and gives back what is free.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
