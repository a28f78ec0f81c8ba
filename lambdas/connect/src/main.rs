//! Starts the function: settings, clients, runtime.

fn main() {}
