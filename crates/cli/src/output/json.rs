//! JSON for machines: one object a line, safe to look at in a terminal too.

use std::borrow::Cow;

use serde::Serialize;

use super::sanitise::is_unsafe;

/// JSON with every such character escaped: outside of strings JSON has none of
/// them, so that the meaning stays the same.
pub(crate) fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_unsafe) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        let mut units = [0; 2];
        if is_unsafe(c) {
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// A value as one line of JSON, without the line feed.
pub(crate) fn to_line(value: &impl Serialize) -> String {
    // Our own line types have string keys and no fallible parts.
    match serde_json::to_string(value) {
        Ok(json) => escape_json(&json).into_owned(),
        Err(error) => format!(
            "{{\"error\":{{\"problem\":\"{}\"}}}}",
            error.to_string().escape_default()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped_and_come_back() {
        let text = "a\u{1b}[1m\u{202e}\u{7f}\u{e0041}热线\"\\";
        let line = to_line(&text);
        assert!(!line.chars().any(is_unsafe), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
