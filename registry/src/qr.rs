//! A code as a QR picture in SVG: black on white with its quiet zone, whatever the page's colours.

use qrcode::{Color, EcLevel, QrCode};

/// Modules of white that ISO/IEC 18004 asks for on every side.
const QUIET: usize = 4;

/// The SVG of `text`, or `None` if it does not fit a QR code. A code's text is alphanumeric, so it is encoded in that mode.
pub(crate) fn svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                path.push_str(&format!("M{} {}h{}v1h-{}z", x + QUIET, y + QUIET, run.len(), run.len()));
            }
            x += run.len();
        }
    }
    let side = width + 2 * QUIET;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" class=\"qr\" role=\"img\" \
         aria-label=\"QR\" shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/>\
         <path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_code_is_a_version_6_picture_with_its_quiet_zone() {
        let text = format!("TG1:{}", "A".repeat(132));
        let svg = svg(&text).expect("fits");
        // Version 6 is 41 modules wide (DESIGN section 2).
        assert!(svg.contains("viewBox=\"0 0 49 49\""), "{svg:.200}");
    }
}
