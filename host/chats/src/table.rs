//! Tables for platforms that have none.

use unicode_width::UnicodeWidthStr;

/// The cells of a table as lines of even columns, for a font in which all letters are equally wide;
/// the first row is the head. A line feed within a cell becomes a space.
pub fn even_columns(rows: &[Vec<String>]) -> String {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| cell.trim().replace('\n', " ")).collect())
        .collect();
    let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let mut lines = Vec::with_capacity(cells.len() + 1);
    for (place, row) in cells.iter().enumerate() {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if column > 0 {
                line.push_str(" | ");
            }
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width())));
        }
        lines.push(line.trim_end().to_owned());
        if place == 0 {
            let ruled: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
            lines.push(ruled.join("-+-"));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_even() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let rows = [row(&["Name", "n"]), row(&["東京", "12"]), row(&["a\nb"])];
        assert_eq!(even_columns(&rows), "Name | n\n-----+---\n東京 | 12\na b");
        assert_eq!(even_columns(&[]), "");
        assert_eq!(even_columns(&[row(&["", "x"])]), " | x\n-+--");
    }
}
