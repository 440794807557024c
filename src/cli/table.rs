use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};

use super::output;

/// A table without lines, columns aligned; headers in capitals.
pub fn table(headers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headers.iter().map(|header| header.to_uppercase()));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// Prints it without trailing blanks.
pub fn print(table: &Table) -> io::Result<()> {
    output::write(|out| table.to_string().lines().try_for_each(|line| writeln!(out, "{}", line.trim_end())))
}
