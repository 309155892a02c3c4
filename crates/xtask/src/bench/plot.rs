//! How the figures change with the number of requests, as a picture.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use plotters::prelude::*;

/// How a figure names how many requests were there: `stage, 64 clients, 100000 requests`.
const OF_SIZE: &str = " requests";
const SIZE: (u32, u32) = (880, 440);
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x1f, 0x6f, 0xeb),
    RGBColor(0xb4, 0x54, 0x09),
    RGBColor(0x2d, 0x7a, 0x46),
    RGBColor(0x8e, 0x3b, 0xa8),
    RGBColor(0xc0, 0x2a, 0x37),
    RGBColor(0x57, 0x60, 0x6a),
];

/// A figure at several sizes.
#[derive(Debug, PartialEq)]
struct Series {
    name: String,
    /// Requests, and the value there as a multiple of the first.
    points: Vec<(u64, f64)>,
}

/// Draws the figures of a report that were measured at several sizes; nothing where there are none.
///
/// # Errors
/// When the picture cannot be written.
pub fn draw(report: &str, file: &Path) -> Result<bool> {
    let series = series(report);
    if series.is_empty() {
        return Ok(false);
    }
    let mut picture = String::new();
    picture_of(&series, &mut picture).map_err(|error| anyhow::anyhow!("cannot draw: {error}"))?;
    fs::write(file, picture).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(true)
}

fn picture_of(series: &[Series], picture: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let mut sizes: Vec<u64> =
        series.iter().flat_map(|one| &one.points).map(|(size, _)| *size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let place = |size: u64| sizes.iter().position(|known| *known == size).unwrap_or_default();
    let highest = series.iter().flat_map(|one| &one.points).map(|(_, value)| *value);
    let top = highest.fold(1.0, f64::max) * 1.1;
    let area = SVGBackend::with_string(picture, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let last = sizes.len().saturating_sub(1) as f64;
    let mut chart = ChartBuilder::on(&area)
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(-0.1..last + 0.1, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(sizes.len())
        .x_label_formatter(&|at| label(&sizes, *at))
        .x_desc("requests that were there")
        .y_desc("× the value with none")
        .label_style(("sans-serif", 14))
        .draw()?;
    for (one, colour) in series.iter().zip(COLOURS.iter().cycle()) {
        let line: Vec<(f64, f64)> =
            one.points.iter().map(|(size, value)| (place(*size) as f64, *value)).collect();
        chart
            .draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?
            .label(&one.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        chart.draw_series(line.iter().map(|at| Circle::new(*at, 4, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .background_style(WHITE)
        .border_style(BLACK)
        .label_font(("sans-serif", 14))
        .position(SeriesLabelPosition::UpperLeft)
        .draw()?;
    area.present()?;
    Ok(())
}

/// The size at a place of the axis; between two places there is none.
fn label(sizes: &[u64], at: f64) -> String {
    let size = (0_u32..).zip(sizes).find(|(place, _)| (f64::from(*place) - at).abs() < 0.01);
    size.map(|(_, size)| size.to_string()).unwrap_or_default()
}

/// The figures of the table's rows that were measured at two sizes or more.
fn series(report: &str) -> Vec<Series> {
    let mut found: Vec<Series> = Vec::new();
    for row in report.lines() {
        let mut cells = row.split('|').map(str::trim).skip(1);
        let (Some(name), Some(value)) = (cells.next(), cells.next()) else { continue };
        let Some((name, size)) = name.strip_suffix(OF_SIZE).and_then(|name| name.rsplit_once(", "))
        else {
            continue;
        };
        let value = value.split(' ').next().and_then(|value| value.parse::<f64>().ok());
        let (Ok(size), Some(value)) = (size.parse(), value) else { continue };
        match found.iter_mut().find(|one| one.name == name) {
            // The same figure against another base.
            Some(one) if one.points.iter().any(|(known, _)| *known == size) => {}
            Some(one) => one.points.push((size, value)),
            None => found.push(Series { name: name.to_owned(), points: vec![(size, value)] }),
        }
    }
    found.retain(|one| one.points.len() > 1);
    for one in &mut found {
        let first = one.points.first().map_or(1.0, |(_, value)| *value);
        one.points.iter_mut().for_each(|(_, value)| *value /= first);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "| figure | measured | base |\n|---|---|---|\n\
        | stage, 64 clients, 0 requests | 1000 /s | no-op: 9 /s |\n\
        | stage, 64 clients, 0 requests | 1000 /s | raw SQLite: 8 /s |\n\
        | stage, 64 clients, 100000 requests | 900 /s | no-op: 9 /s |\n\
        | inbox, p95, 0 requests | 10.0 ms | |\n| 5000 agents that wait | 125 MB | |\n";

    #[test]
    fn what_was_measured_at_two_sizes_is_a_line() {
        let points = vec![(0, 1.0), (100_000, 0.9)];
        assert_eq!(series(REPORT), [Series { name: "stage, 64 clients".to_owned(), points }]);
    }

    #[test]
    fn a_report_of_one_size_is_no_picture() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("plot.svg");
        assert!(!draw(&REPORT.replace("100000", "0"), &file).unwrap());
        assert!(!file.exists());
        assert!(draw(REPORT, &file).unwrap());
        assert!(fs::read_to_string(&file).unwrap().contains("stage, 64 clients"));
    }
}
