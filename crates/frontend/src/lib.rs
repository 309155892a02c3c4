//! The WASM entry: starts the reactive system; `boot.js` then hydrates each island by its name.

use wasm_bindgen::prelude::wasm_bindgen;

/// Prepares the page for its islands.
#[wasm_bindgen]
pub fn hydrate() {
    app::islands::prepare();
}
