//! Making foreign text safe for a terminal.
//!
//! Text out of facts, files and arguments may hold escape sequences that move
//! the cursor, change the title or turn the reading direction. None of it
//! reaches a terminal: such characters are shown as `\u{…}`.

use std::borrow::Cow;

/// Whether a character does something other than show itself.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0x00AD                  // soft hyphen
            | 0x061C                // arabic letter mark
            | 0x115F | 0x1160       // hangul fillers
            | 0x180E                // mongolian vowel separator
            | 0x200B..=0x200F       // zero width, direction marks
            | 0x2028 | 0x2029       // line and paragraph separators
            | 0x202A..=0x202E       // bidirectional embeddings and overrides
            | 0x2060..=0x206F       // word joiner, isolates, deprecated controls
            | 0x3164                // hangul filler
            | 0xFEFF                // byte order mark
            | 0xFFA0                // halfwidth hangul filler
            | 0xFFF9..=0xFFFB       // interlinear annotation
            | 0xE0000..=0xE007F     // tags
        )
}

/// The text with every such character written out.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            safe.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_or_hides_is_written_out() {
        assert_eq!(clean("plain 热线 text"), "plain 热线 text");
        assert_eq!(clean("\u{1b}[2J"), "\\u{1b}[2J");
        assert_eq!(clean("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(clean("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
        assert_eq!(clean("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(clean("a\nb\tc\r\u{7}"), "a\\u{a}b\\u{9}c\\u{d}\\u{7}");
    }
}
