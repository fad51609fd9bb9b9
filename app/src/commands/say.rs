use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// Prints a line. Whoever reads may have enough of it, as `head` has: then the work goes on unheard.
macro_rules! say {
    ($($words:tt)*) => { $crate::commands::say::line(format_args!($($words)*)) };
}
pub(super) use say;

/// What [`say!`] does. A line that cannot be written for another reason ends the process with 1.
pub(super) fn line(words: Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{words}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("tributary: cannot write: {error}");
            std::process::exit(1);
        }
        _ => {}
    }
}
