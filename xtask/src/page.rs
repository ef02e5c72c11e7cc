//! A Markdown page being written.

/// A Markdown page being written.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// A page that says how it came about.
    pub(crate) fn generated(title: &str, from: &str) -> Self {
        let mut page = Self::default();
        page.line(&format!("# {title}"));
        page.line("");
        page.line(&format!(
            "Generated from {from} by `cargo xtask docs`: change those, not this page. A test compares them."
        ));
        page
    }

    /// One line.
    pub(crate) fn line(&mut self, text: &str) {
        self.0.push_str(text.trim_end());
        self.0.push('\n');
    }

    /// A paragraph, set apart by a blank line.
    pub(crate) fn paragraph(&mut self, text: &str) {
        self.line("");
        self.line(text);
    }

    /// A table.
    pub(crate) fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        self.line("");
        self.line(&format!("| {} |", head.join(" | ")));
        self.line(&format!("|{}", "---|".repeat(head.len())));
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
            self.line(&format!("| {} |", cells.join(" | ")));
        }
    }

    /// The finished page.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// A doc comment as one paragraph.
pub(crate) fn flowing(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}
