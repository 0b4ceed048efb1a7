//! The poster that leads residents to the pages: any scanner reads it. An SVG of A4, for a printer or a browser.

use crate::qr;

/// Bytes of an address that a poster's code still shows large.
const ADDRESS_BYTES: usize = 200;

/// Why there is no poster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PosterError {
    /// Not something a phone opens.
    #[error(
        "the address must begin with https:// (or http:// for a try) and have at most {ADDRESS_BYTES} plain characters"
    )]
    Address,
}

/// The poster for the pages at `address`.
///
/// # Errors
/// [`PosterError`].
pub fn svg(address: &str) -> Result<String, PosterError> {
    let address = address.trim();
    let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://")).unwrap_or_default();
    // RFC 3986: what may stand in an address; none of it is markup but &, which is escaped below.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&()*+,;=%".contains(&b);
    if host.is_empty() || host.starts_with('/') || address.len() > ADDRESS_BYTES || !address.bytes().all(plain) {
        return Err(PosterError::Address);
    }
    let code = qr::svg(address).ok_or(PosterError::Address)?;
    let code = code.replacen("<svg ", "<svg x=\"45\" y=\"82\" width=\"120\" height=\"120\" ", 1);
    let shown = address.replace('&', "&amp;");
    let line = |y: u32, size: u32, text: &str| {
        format!("<text x=\"105\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"middle\">{text}</text>")
    };
    let lines = [
        line(34, 20, "申领通行码"),
        line(50, 11, "Get your pass code"),
        line(66, 7, "用手机扫一扫　Scan with any app"),
        line(216, 6, &shown),
        line(234, 7, "登记一次，凭动态码进出；没有网络也能用。"),
        line(244, 6, "Register once; the code changes every ten minutes,"),
        line(251, 6, "and works without a network too."),
        line(266, 6, "没有手机？请家人代办，或在门岗出示证件。"),
        line(274, 5, "No phone? Ask your family, or show a document at the gate."),
    ];
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"210mm\" height=\"297mm\" viewBox=\"0 0 210 297\" \
         font-family=\"'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif\" fill=\"#1a1a1a\">\
         <rect width=\"210\" height=\"297\" fill=\"#fff\"/><rect width=\"210\" height=\"10\" fill=\"#0b6b3a\"/>\
         <rect y=\"287\" width=\"210\" height=\"10\" fill=\"#0b6b3a\"/>{}{code}</svg>\n",
        lines.concat()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poster_shows_its_address_and_nothing_becomes_markup() {
        let made = svg("https://code.city.example/?from=poster&gate=3").expect("an address");
        assert!(made.contains("?from=poster&amp;gate=3") && made.contains("x=\"45\""));
        let long = format!("https://{}", "a".repeat(200));
        for bad in [
            "",
            "code.city.example",
            "https://",
            "https:///x",
            "https://a<b",
            "https://a\"b",
            "https://城",
            "ftp://a",
            &long,
        ] {
            assert_eq!(svg(bad), Err(PosterError::Address), "{bad}");
        }
    }
}
