//! The `taipan` executable: command line, start, program, end ("Command line and environment" in Python's manual).

mod command_line;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    match command_line::parse(arguments) {
        Ok(command_line::Request::Run(command)) => run::run(*command),
        Ok(command_line::Request::Print(text)) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
