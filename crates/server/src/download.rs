//! Files that leave: what an agent uploaded, always as an attachment and never as a page.
//!
//! SECURITY: whatever the content is and its type claims, no browser shows it in place, guesses its
//! type, or gives it a name that means something else (threats G13, G14).

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::hidden::is_hidden;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Should a browser show it all the same: as a document without an origin that can do nothing.
const POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// The bytes under a name that is safe to be one.
pub(crate) fn attachment(name: &str, bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    let octets = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, octets);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    let disposition = HeaderValue::from_str(&disposition(name));
    let disposition = disposition.unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    response
}

/// RFC 6266: the name in ASCII, and whole in the form of RFC 8187 for those who read it.
fn disposition(name: &str) -> String {
    // Letters, digits and little else: no path, no quote, nothing that turns the reading direction.
    let plain = |c: char| (c.is_alphanumeric() && !is_hidden(c)) || "._- ".contains(c);
    let kept = |c: char| if plain(c) { c } else { '_' };
    let name: String = name.chars().map(kept).collect();
    let name = name.trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    let name = if name.is_empty() { "evidence" } else { name };
    let plain: String = name.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    let whole = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g14_a_name_is_no_path_no_header_and_reads_as_it_is() {
        for (name, plain, whole) in [
            ("row counts.csv", "row counts.csv", "row%20counts%2Ecsv"),
            ("..\\..\\x", "_.._x", "%5F%2E%2E%5Fx"),
            (
                "a\r\nSet-Cookie: x=\"1\"",
                "a__Set-Cookie_ x__1_",
                "a%5F%5FSet%2DCookie%5F%20x%5F%5F1%5F",
            ),
            ("cod\u{202e}txt.exe", "cod_txt.exe", "cod%5Ftxt%2Eexe"),
            ("a\u{3164}.exe", "a_.exe", "a%5F%2Eexe"),
            ("größe.txt", "gr__e.txt", "gr%C3%B6%C3%9Fe%2Etxt"),
            (". .", "evidence", "evidence"),
        ] {
            let wanted = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}");
            assert_eq!(disposition(name), wanted);
        }
    }
}
