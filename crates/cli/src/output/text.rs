//! Lines of text for people: spans with a style, as wide as a terminal shows
//! them.

use unicode_width::UnicodeWidthStr;

use super::sanitise::clean;

/// How a span looks where colours are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// As it is.
    Plain,
    /// What the eye should find first.
    Strong,
    /// What is only there for reference.
    Dim,
    /// In order.
    Good,
    /// Needs a look.
    Warn,
    /// Broken or refused.
    Bad,
}

impl Style {
    /// The escape sequence that begins it; it is ended by a reset.
    pub(crate) const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("\u{1b}[1m"),
            Self::Dim => Some("\u{1b}[2m"),
            Self::Good => Some("\u{1b}[32m"),
            Self::Warn => Some("\u{1b}[33m"),
            Self::Bad => Some("\u{1b}[31m"),
        }
    }
}

/// A piece of text in one style, already safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) style: Style,
    pub(crate) text: String,
}

/// One line, in pieces. Whatever is put in is made safe to show; there is no
/// other way to a terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(Vec<Span>);

impl Text {
    /// An empty line.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// With one more piece.
    #[must_use]
    pub(crate) fn styled(mut self, style: Style, text: impl AsRef<str>) -> Self {
        let text = clean(text.as_ref()).into_owned();
        if !text.is_empty() {
            self.0.push(Span { style, text });
        }
        self
    }

    /// With one more plain piece.
    #[must_use]
    pub(crate) fn plain(self, text: impl AsRef<str>) -> Self {
        self.styled(Style::Plain, text)
    }

    /// With one more dim piece.
    #[must_use]
    pub(crate) fn dim(self, text: impl AsRef<str>) -> Self {
        self.styled(Style::Dim, text)
    }

    /// With one more strong piece.
    #[must_use]
    pub(crate) fn strong(self, text: impl AsRef<str>) -> Self {
        self.styled(Style::Strong, text)
    }

    /// With another line's pieces behind it.
    #[must_use]
    pub(crate) fn then(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// Filled with blanks to a width; wider text stays whole.
    #[must_use]
    pub(crate) fn padded(self, width: usize) -> Self {
        let blanks = width.saturating_sub(self.width());
        self.plain(" ".repeat(blanks))
    }

    /// How many columns it takes on a terminal.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(|span| span.text.width()).sum()
    }

    /// Its pieces.
    pub(crate) fn spans(&self) -> &[Span] {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new().plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new().plain(text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::new().plain(text)
    }
}

/// A number of things in words: `1 row`, `2 rows`.
pub(crate) fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// What somebody wrote, cut to a length that a complaint can quote.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Breaks prose into lines of at most `width` columns, at blanks; text without
/// blanks (Chinese) breaks anywhere.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let gap = usize::from(!line.is_empty());
            if line.width() + gap + word.width() <= width {
                if gap == 1 {
                    line.push(' ');
                }
                line.push_str(word);
                continue;
            }
            if !line.is_empty() && (word.width() <= width || word.is_ascii()) {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            for c in word.chars() {
                let mut bytes = [0; 4];
                if line.width() + c.encode_utf8(&mut bytes).width() > width
                    && !line.trim().is_empty()
                {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(c);
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_counts_two_columns() {
        assert_eq!(Text::from("热线 ab").width(), 7);
        assert_eq!(Text::from("热线").padded(6).width(), 6);
    }

    #[test]
    fn prose_breaks_at_blanks_and_chinese_anywhere() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("一二三四五", 6), ["一二三", "四五"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
    }
}
