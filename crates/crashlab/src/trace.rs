//! Reading what `strace -f -y -xx` wrote.

use std::collections::BTreeMap;

use crate::lab_error::LabError;

/// A call as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// The thread, as strace numbers them; the first is the main thread.
    pub(crate) thread: String,
    pub(crate) name: String,
    /// The how-many-th of its name in its thread, from 1: what injections count.
    pub(crate) nth: usize,
    pub(crate) arguments: Vec<Argument>,
    /// What it returned; `None` if it never did.
    pub(crate) returned: Option<i64>,
    /// How many calls had been finished when this one began.
    pub(crate) began_after: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Argument {
    /// A descriptor and the path behind it; empty if that has been deleted.
    Descriptor {
        number: i64,
        path: String,
    },
    Bytes(Vec<u8>),
    /// A number, flags, or whatever else.
    Word(String),
}

impl Call {
    pub(crate) fn path_of_descriptor(&self) -> Option<(i64, &str)> {
        match self.arguments.first() {
            Some(Argument::Descriptor { number, path }) => Some((*number, path)),
            _ => None,
        }
    }

    pub(crate) fn bytes(&self, at: usize) -> Option<&[u8]> {
        match self.arguments.get(at) {
            Some(Argument::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The `n`-th text among the arguments: a path.
    pub(crate) fn text(&self, n: usize) -> Option<String> {
        let mut texts = self.arguments.iter().filter_map(|argument| match argument {
            Argument::Bytes(bytes) => Some(bytes),
            _ => None,
        });
        Some(String::from_utf8_lossy(texts.nth(n)?).into_owned())
    }

    pub(crate) fn number(&self, at: usize) -> Option<u64> {
        self.word(at)?.parse().ok()
    }

    pub(crate) fn word(&self, at: usize) -> Option<&str> {
        match self.arguments.get(at) {
            Some(Argument::Word(word)) => Some(word),
            _ => None,
        }
    }
}

/// A call that another thread interrupted.
struct Begun {
    text: String,
    nth: usize,
    after: usize,
}

/// All calls in the order in which they ended.
pub(crate) fn read_calls(trace: &str) -> Result<Vec<Call>, LabError> {
    let mut calls = Vec::new();
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut begun: BTreeMap<String, Begun> = BTreeMap::new();
    for line in trace.lines() {
        let bad = |problem| LabError::trace(problem, line);
        let (thread, rest) = line.split_once(' ').ok_or_else(|| bad("no thread"))?;
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        let (text, nth, after) = if let Some(resumed) = rest.strip_prefix("<... ") {
            let (_, tail) = resumed
                .split_once(" resumed>")
                .ok_or_else(|| bad("a resumed call without its mark"))?;
            let first = begun
                .remove(thread)
                .ok_or_else(|| bad("a resumed call that was not begun"))?;
            (first.text + tail, first.nth, first.after)
        } else {
            let (name, _) = rest.split_once('(').ok_or_else(|| bad("no call"))?;
            let count = counts
                .entry((thread.to_owned(), name.to_owned()))
                .or_default();
            *count += 1;
            if let Some(head) = rest.strip_suffix("<unfinished ...>") {
                let (text, nth, after) = (head.trim_end().to_owned(), *count, calls.len());
                begun.insert(thread.to_owned(), Begun { text, nth, after });
                continue;
            }
            (rest.to_owned(), *count, calls.len())
        };
        calls.push(call(thread, &text, nth, after).map_err(bad)?);
    }
    Ok(calls)
}

fn call(thread: &str, text: &str, nth: usize, after: usize) -> Result<Call, &'static str> {
    // So ends what was never finished because the thread was killed in it.
    let text = text.replace(" <unfinished ...>)", ")");
    let (name, rest) = text.split_once('(').ok_or("no call")?;
    // No string holds a bracket, because strings are written in hexadecimal.
    let (arguments, result) = rest.split_once(") ").ok_or("no end of the arguments")?;
    let result = result.trim_start().strip_prefix("= ").ok_or("no result")?;
    // A descriptor is followed by its path, an error by its name.
    let result = result.split(['<', ' ']).next().unwrap_or_default();
    let returned = match result {
        "?" => None,
        number => Some(number.parse().map_err(|_| "a result that is no number")?),
    };
    Ok(Call {
        thread: thread.to_owned(),
        name: name.to_owned(),
        nth,
        arguments: arguments
            .split(", ")
            .filter(|argument| !argument.is_empty())
            .map(argument)
            .collect::<Result<_, _>>()?,
        returned,
        began_after: after,
    })
}

fn argument(text: &str) -> Result<Argument, &'static str> {
    if let Some(quoted) = text.strip_prefix('"') {
        let inner = quoted.strip_suffix('"').ok_or("a string that was cut")?;
        return Ok(Argument::Bytes(unescape(inner)?));
    }
    if let Some((number, path)) = text.split_once('<')
        && let Ok(number) = number.parse()
    {
        let (path, mark) = path.rsplit_once('>').ok_or("a path without its end")?;
        let path = if mark.is_empty() && path.starts_with("\\x") {
            String::from_utf8_lossy(&unescape(path)?).into_owned()
        } else {
            String::new()
        };
        return Ok(Argument::Descriptor { number, path });
    }
    Ok(Argument::Word(text.to_owned()))
}

fn unescape(text: &str) -> Result<Vec<u8>, &'static str> {
    text.split("\\x")
        .skip(1)
        .map(|pair| u8::from_str_radix(pair, 16).map_err(|_| "a byte that is not hexadecimal"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_with_their_bytes() {
        let trace = "7 openat(AT_FDCWD<\\x2f>, \"\\x2f\\x61\", O_RDWR|O_CREAT, 0644) = 4<\\x2f\\x61>\n\
                     7 pwrite64(4<\\x2f\\x61>, \"\\x00\\xff\", 2, 8) = 2\n\
                     7 fsync(4<\\x2f\\x61>) = -1 EIO (Input/output error) (INJECTED)\n\
                     7 +++ killed by SIGKILL +++\n";
        let calls = read_calls(trace).unwrap();
        assert_eq!(calls[0].text(0).unwrap(), "/a");
        assert_eq!(calls[0].returned, Some(4));
        assert_eq!(calls[1].bytes(1).unwrap(), [0, 255]);
        assert_eq!(calls[1].number(3), Some(8));
        assert_eq!(calls[1].path_of_descriptor(), Some((4, "/a")));
        assert_eq!(calls[2].returned, Some(-1));
    }

    #[test]
    fn an_interrupted_call_ends_where_it_is_resumed() {
        let trace = "1 fsync(4<\\x2f\\x61> <unfinished ...>\n\
                     2 write(1<pipe:[5]>, \"\\x61\", 1) = 1\n\
                     1 <... fsync resumed>) = 0\n\
                     2 fsync(4<\\x2f\\x61> <unfinished ...>) = ?\n";
        let calls = read_calls(trace);
        let calls = calls.unwrap();
        let names: Vec<_> = calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["write", "fsync", "fsync"]);
        assert_eq!(calls[1].began_after, 0);
        assert_eq!(calls[2].returned, None);
    }

    #[test]
    fn a_cut_string_is_an_error() {
        assert!(read_calls("1 write(4<\\x2f>, \"\\x61\"..., 9) = 9\n").is_err());
    }
}
