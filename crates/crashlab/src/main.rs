//! `thirdring-crashlab`: the long mode of the crash laboratory, and the child
//! processes it disturbs.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use thirdring_crashlab::{Depth, LabError, OnError, Workload, report, work};

const USAGE: &str = "usage: thirdring-crashlab \
    all|kill|power|failed-sync|errors|teeth [create|append|checkpoint|group|backup|desk]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [mode @ ("child" | "mortal"), name, folder] => Workload::named(name)
            .ok_or_else(|| LabError::UnknownWorkload((*name).to_owned()))
            .map(|workload| {
                let on_error = match *mode {
                    "mortal" => OnError::Die,
                    _ => OnError::Reopen,
                };
                work(&workload, Path::new(folder), on_error);
                true
            }),
        [
            what @ ("all" | "kill" | "power" | "failed-sync" | "errors" | "teeth"),
            only @ ..,
        ] if only.len() <= 1 => {
            let only = only.first().copied();
            report(what, only, Depth::Long, &mut std::io::stdout())
        }
        _ => {
            drop(writeln!(std::io::stderr(), "{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "{error}"));
            ExitCode::from(3)
        }
    }
}
