//! Tables whose columns line up, whichever script stands in them.

use super::Out;
use super::text::Text;

/// Rows of cells.
#[derive(Debug, Default)]
pub(crate) struct Table {
    head: Vec<Text>,
    rows: Vec<Vec<Text>>,
    indent: usize,
}

impl Table {
    /// A table without a heading.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A table with a heading.
    pub(crate) fn with_head<'a>(head: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            head: head.into_iter().map(|name| Text::new().dim(name)).collect(),
            ..Self::default()
        }
    }

    /// Set in from the margin.
    #[must_use]
    pub(crate) const fn indented(mut self, columns: usize) -> Self {
        self.indent = columns;
        self
    }

    /// One more row.
    pub(crate) fn row<T: Into<Text>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Prints it; nothing where there are no rows.
    pub(crate) fn print(self, out: &mut Out<'_>) {
        if self.rows.is_empty() {
            return;
        }
        let all = (!self.head.is_empty())
            .then_some(&self.head)
            .into_iter()
            .chain(&self.rows);
        let mut widths: Vec<usize> = Vec::new();
        for row in all.clone() {
            for (column, cell) in row.iter().enumerate() {
                match widths.get_mut(column) {
                    Some(width) => *width = (*width).max(cell.width()),
                    None => widths.push(cell.width()),
                }
            }
        }
        for row in all {
            let last = row.iter().rposition(|cell| cell.width() > 0).unwrap_or(0);
            let mut line = Text::new().plain(" ".repeat(self.indent));
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                line = match column {
                    column if column > last => line,
                    column if column == last => line.then(cell.clone()),
                    _ => line.then(cell.clone().padded(*width)).plain("  "),
                };
            }
            out.line(line);
        }
    }
}
