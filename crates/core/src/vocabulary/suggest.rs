//! Near misses: what the writer of an unknown name probably meant.

/// A text as a message may show it: what a hostile writer made unprintable is
/// spelt out, so that it cannot command a terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The known name nearest to `wrong`, if one is near enough to be meant.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A hostile megabyte must not be compared with anything.
    if wrong.len() > 80 {
        return None;
    }
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(wrong, name), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= 2 || *distance * 3 <= name.len())
        .map(|(_, name)| name)
}
