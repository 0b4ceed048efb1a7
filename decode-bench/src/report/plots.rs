//! Decode rate over the level of a factor, a line a reader.

use std::path::Path;

use anyhow::{Result, anyhow};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::imageops::thumbnail;
use image::{ExtendedColorType, ImageEncoder as _, RgbImage};
use plotters::prelude::*;
use tongguan_sim::corpus::Factor;

use super::{Report, write};
use crate::corpora::Kind;
use crate::readers::Which;
use crate::run::Outcome;

/// Drawn at twice the size and made smaller: the letters of small text stand on whole pixels otherwise.
const DRAWN: (u32, u32) = (1520, 880);
const WRITTEN: (u32, u32) = (760, 440);
/// The checkpoint's own font: a machine that measures may have none.
static FONT: &[u8] = include_bytes!("../../../ui/fonts/TongguanSans.otf");

/// Draws every factor of the run; says which.
pub(super) fn draw(report: &Report, folder: &Path) -> Result<Vec<Factor>> {
    plotters::style::register_font("sans-serif", FontStyle::Normal, FONT)
        .map_err(|_| anyhow!("the font of ui/fonts is damaged"))?;
    let mut drawn = Vec::new();
    for outcome in &report.outcomes {
        if let Kind::Sweep(factor) = outcome.kind {
            let mut picture = RgbImage::new(DRAWN.0, DRAWN.1);
            plot(outcome, factor, &mut picture)
                .map_err(|problem| anyhow!("the plot of {}: {problem}", factor.name()))?;
            let picture = thumbnail(&picture, WRITTEN.0, WRITTEN.1);
            let mut png = Vec::new();
            PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive).write_image(
                picture.as_raw(),
                WRITTEN.0,
                WRITTEN.1,
                ExtendedColorType::Rgb8,
            )?;
            write(&folder.join(format!("{}.png", factor.name())), &png)?;
            drawn.push(factor);
        }
    }
    Ok(drawn)
}

fn plot(outcome: &Outcome, factor: Factor, pixels: &mut [u8]) -> Result<(), Box<dyn std::error::Error>> {
    let levels = outcome.kind.places();
    let last = (levels.len() - 1) as f64;
    let area = BitMapBackend::with_buffer(pixels, DRAWN).into_drawing_area();
    area.fill(&WHITE)?;
    // Levels stand side by side at equal distances: they are chosen for what they do to a code, not for their size.
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{}: codes read", factor.name()), ("sans-serif", 44))
        .margin(24)
        .margin_right(48)
        .x_label_area_size(96)
        .y_label_area_size(120)
        .build_cartesian_2d(-0.2..last + 0.2, -3.0..103.0)?;
    let level = |x: &f64| {
        let near = x.round();
        let name = if (x - near).abs() < 0.01 && near >= 0.0 { levels.get(near as usize) } else { None };
        name.cloned().unwrap_or_default()
    };
    chart
        .configure_mesh()
        .x_labels(levels.len() + 2)
        .y_labels(6)
        .max_light_lines(0)
        .bold_line_style(RGBColor(225, 225, 225).stroke_width(2))
        .label_style(("sans-serif", 30))
        .axis_desc_style(("sans-serif", 32))
        .x_desc(factor.unit())
        .y_desc("decoded, %")
        .x_label_formatter(&level)
        .y_label_formatter(&|y| format!("{y:.0}"))
        .draw()?;
    // Ours last, on top.
    for which in outcome.readers.iter().rev() {
        let (colour, width) = pen(*which);
        let rates = outcome.places(*which).unwrap_or_default();
        let points: Vec<(f64, f64)> = rates.iter().enumerate().map(|(i, tally)| (i as f64, tally.rate())).collect();
        let style = colour.stroke_width(width);
        chart
            .draw_series(LineSeries::new(points.iter().copied(), style))?
            .label(which.name())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 44, y)], style));
        chart.draw_series(points.iter().map(|point| Circle::new(*point, width + 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .margin(28)
        .label_font(("sans-serif", 32))
        .legend_area_size(60)
        .background_style(WHITE.mix(0.9))
        .border_style(RGBColor(180, 180, 180))
        .draw()?;
    drop(chart);
    area.present()?;
    Ok(())
}

/// Ours is thinner than zxing-cpp's below it, so that both are seen where they agree.
fn pen(which: Which) -> (RGBColor, u32) {
    match which {
        Which::Ours | Which::Thorough => (RGBColor(0, 90, 181), 4),
        Which::Zxing => (RGBColor(220, 50, 32), 8),
        Which::Rxing => (RGBColor(230, 159, 0), 5),
        Which::Rqrr => (RGBColor(110, 110, 110), 3),
    }
}
