//! The `taipan` executable: command line, start, program, end ("Command line and environment" in Python's manual).

mod command_line;
mod environment;
mod help;
mod run;
mod standard_files;

use std::process::ExitCode;

use command_line::{Failure, Request};

fn main() -> ExitCode {
    standard_files::restore();
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    match command_line::parse(arguments) {
        Ok(Request::Run(command)) => run::run(*command),
        Ok(Request::Print(text)) => {
            use std::io::Write as _;
            // A closed output is no reason to fail.
            let _ = writeln!(std::io::stdout(), "{text}");
            ExitCode::SUCCESS
        }
        Err(Failure::Usage(text)) => fail(&text, 2),
        Err(Failure::Fatal(text)) => fail(&text, 1),
    }
}

/// Tells why and ends with the status.
fn fail(text: &str, status: u8) -> ExitCode {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::from(status)
}
