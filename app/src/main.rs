use std::process::ExitCode;

use clap::Parser;
use tributary::cli::Cli;
use tributary::commands;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::run(Cli::parse())
}
