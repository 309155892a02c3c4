//! The built front end, embedded: hashed names, brotli beside each file.

use std::collections::HashMap;

use app::Assets;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// What `cargo xtask build` puts together.
#[derive(RustEmbed)]
#[folder = "../../target/site"]
#[allow_missing = true]
struct Files;

/// The addresses of what pages load.
#[derive(Clone, Debug)]
pub struct Site {
    pub assets: Assets,
}

impl Site {
    /// Reads the manifest of the embedded files. Without one, pages have neither style nor script.
    pub fn load() -> Self {
        let manifest: HashMap<String, String> = Files::get("manifest.json")
            .and_then(|file| serde_json::from_slice(&file.data).ok())
            .unwrap_or_default();
        if manifest.is_empty() {
            tracing::warn!("built without the front end; run `cargo xtask build`");
        }
        let url = |name: &str| manifest.get(name).cloned().unwrap_or_default();
        let assets = Assets {
            css: url("main.css"),
            boot: url("boot.js"),
            js: url("countersign.js"),
            wasm: url("countersign.wasm"),
            favicon: url("favicon.svg"),
        };
        Self { assets }
    }

    /// Whether the front end is there.
    pub fn is_built(&self) -> bool {
        !self.assets.css.is_empty()
    }
}

/// `/assets/{file}`.
pub async fn styles_and_pictures(Path(file): Path<String>, headers: HeaderMap) -> Response {
    serve(&format!("assets/{file}"), &headers)
}

/// `/pkg/{file}`.
pub async fn scripts(Path(file): Path<String>, headers: HeaderMap) -> Response {
    serve(&format!("pkg/{file}"), &headers)
}

/// Names are hashes, so what they name never changes.
fn serve(path: &str, headers: &HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let brotli = accepted.is_some_and(|value| value.split(',').any(|c| c.trim().starts_with("br")));
    let compressed = if brotli { Files::get(&format!("{path}.br")) } else { None };
    let encoded = compressed.is_some();
    let Some(found) = compressed.or_else(|| Files::get(path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let media_type = mime_guess::from_path(path).first_or_octet_stream();
    let mut response = found.data.into_owned().into_response();
    let headers = response.headers_mut();
    let mut set = |name, value: &str| {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, media_type.as_ref());
    set(header::CACHE_CONTROL, "public, max-age=31536000, immutable");
    set(header::VARY, "accept-encoding");
    if encoded {
        set(header::CONTENT_ENCODING, "br");
    }
    response
}
