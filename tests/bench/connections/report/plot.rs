use std::fmt::Write;

use super::Report;
use crate::path::Path;
use crate::rounds::Cell;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 100.0;
const BAR: f64 = 18.0;
const PANEL: f64 = 9.0 * BAR + 70.0;
const TOP: f64 = 70.0;

/// Connections a second, by path: a panel for each number in flight, a bar a path, a line from quartile to quartile.
pub fn plot(report: &Report) -> String {
    let panels: Vec<Vec<&Cell>> = report
        .rows
        .chunk_by(|one, other| one.in_flight == other.in_flight)
        .map(|cells| cells.iter().collect())
        .collect();
    let height = TOP + PANEL * f64::from(u32::try_from(panels.len().div_ceil(2)).unwrap());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\" fill=\"#222\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"20\" y=\"28\" font-size=\"17\">Connections a second, by what a SYN passes on the gateway</text>\n\
         <text x=\"20\" y=\"48\" fill=\"#666\">10,000 rules, 10,000 observations, IPv4; median of {} rounds, quartiles. \
         The last two wait for a server behind Envoy.</text>\n",
        report.effort.rounds
    );
    for (index, cells) in panels.iter().enumerate() {
        let (column, line) = (index % 2, index / 2);
        let at = (480.0 * number(column), TOP + PANEL * number(line));
        panel(&mut svg, cells, at);
    }
    svg + "</svg>\n"
}

fn panel(svg: &mut String, cells: &[&Cell], (x, y): (f64, f64)) {
    let highest = cells.iter().map(|cell| cell.spread(|sample| sample.rate).high).fold(1.0, f64::max);
    let in_flight = cells[0].in_flight;
    writeln!(svg, "<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{in_flight} in flight</text>", x + LEFT, y + 16.0)
        .unwrap();
    let scale = (480.0 - LEFT - 70.0) / highest;
    for (index, cell) in cells.iter().enumerate() {
        let rate = cell.spread(|sample| sample.rate);
        let top = y + 26.0 + BAR * number(index);
        let (middle, colour) = (top + BAR / 2.0, colour(cell.size.path));
        let (low, high) = (x + LEFT + rate.low * scale, x + LEFT + rate.high * scale);
        writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n\
             <rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>\n\
             <path d=\"M{low:.1} {middle:.1}H{high:.1}M{low:.1} {:.1}v6M{high:.1} {:.1}v6\" stroke=\"#222\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\">{:.0}</text>",
            x + LEFT - 6.0,
            middle + 4.0,
            cell.size.path.name(),
            x + LEFT,
            top + 2.0,
            rate.median * scale,
            BAR - 4.0,
            middle - 3.0,
            middle - 3.0,
            high.max(x + LEFT + rate.median * scale) + 6.0,
            middle + 4.0,
            rate.median,
        )
        .unwrap();
    }
}

/// decider's are told apart from what they are compared with.
fn colour(path: Path) -> &'static str {
    match path {
        Path::None => "#c8c8c8",
        Path::NftSet | Path::QueueC | Path::QueueNfq | Path::DnatEnvoy => "#9db8d2",
        Path::Nfq | Path::Batched | Path::Fast | Path::Envoy => "#d98032",
    }
}

fn number(index: usize) -> f64 {
    f64::from(u32::try_from(index).unwrap())
}
