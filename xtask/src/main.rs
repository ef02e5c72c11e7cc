//! `cargo xtask docs`: writes the generated documents.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

const USAGE: &str =
    "cargo xtask docs    write the documents that are generated: docs/facts.md, docs/rules.md";

fn write_documents(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    for document in xtask::documents()? {
        let path = xtask::workspace().join(document.path);
        let fresh = std::fs::read_to_string(&path).is_ok_and(|text| text == document.text);
        if !fresh {
            std::fs::write(&path, document.text)?;
        }
        writeln!(
            out,
            "{}: {}",
            document.path,
            if fresh { "fresh already" } else { "written" }
        )?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["docs"] => match write_documents(&mut out) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // Nobody is left to tell if even this cannot be written.
                let _ = writeln!(err, "error: {error}");
                ExitCode::FAILURE
            }
        },
        _ => {
            let _ = writeln!(err, "{USAGE}");
            ExitCode::from(2)
        }
    }
}
