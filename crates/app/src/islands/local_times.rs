//! Rewrites the instants on a page to the reader's own zone, and keeps relative times true.
//!
//! The zone's rules and the words of the calendar are the browser's (`Intl`).

use leptos::prelude::*;

/// Formats every `time[data-local]` and refreshes every `[data-relative]` once a minute.
#[island]
pub fn LocalTimes() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    if cfg!(target_arch = "wasm32") {
        browser::start();
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::time::Duration;

    use js_sys::{Array, Date, Intl::DateTimeFormat, Object, Reflect};
    use leptos::prelude::{document, set_interval};
    use wasm_bindgen::JsValue;

    use crate::islands::browser::{data, find, find_all};
    use crate::wording::elapsed::relative;

    pub fn start() {
        // The server's clock counts, not the reader's: remember how far they are apart.
        let body = document().body();
        let served = body.and_then(|body| data(&body, "now").parse::<f64>().ok());
        let ahead = served.map_or(0.0, |served| served - seconds());
        rewrite(ahead);
        set_interval(move || refresh(ahead), Duration::from_secs(60));
    }

    fn seconds() -> f64 {
        Date::now() / 1000.0
    }

    fn rewrite(ahead: f64) {
        let year = Date::new(&JsValue::from_f64((seconds() + ahead) * 1000.0)).get_full_year();
        let plain = [format(false, false), format(true, false)];
        let zoned = [format(false, true), format(true, true)];
        for element in find_all("time[data-local]") {
            let machine = element.get_attribute("datetime").unwrap_or_default();
            let date = Date::new(&JsValue::from_str(&machine));
            if date.get_time().is_nan() {
                continue;
            }
            let [this_year, other_year] =
                if data(&element, "local") == "zone" { &zoned } else { &plain };
            let form = if date.get_full_year() == year { this_year } else { other_year };
            if let Some(text) = call(form, &date) {
                element.set_text_content(Some(&text.replacen(',', "", 1)));
            }
        }
        if let (Some(line), Some(zone)) = (find("[data-zone]"), zone(&plain[0])) {
            let text = format!("Times are yours ({zone}). UTC is in the title of each.");
            line.set_text_content(Some(&text));
        }
    }

    fn refresh(ahead: f64) {
        let now = seconds() + ahead;
        for element in find_all("[data-relative]") {
            if let Ok(at) = data(&element, "relative").parse::<f64>() {
                element.set_text_content(Some(&relative((at - now) as i64)));
            }
        }
    }

    /// `22 Nov, 19:40`, in the language of the page and the zone of the reader.
    fn format(year: bool, zone: bool) -> DateTimeFormat {
        let options = Object::new();
        let set = |key: &str, value: JsValue| {
            // Setting a property of a fresh object cannot fail.
            let _ = Reflect::set(&options, &JsValue::from_str(key), &value);
        };
        set("day", "numeric".into());
        set("month", "short".into());
        set("hour", "2-digit".into());
        set("minute", "2-digit".into());
        set("hourCycle", "h23".into());
        if year {
            set("year", "numeric".into());
        }
        if zone {
            set("timeZoneName", "short".into());
        }
        DateTimeFormat::new(&Array::of1(&"en-GB".into()), &options)
    }

    fn call(form: &DateTimeFormat, date: &Date) -> Option<String> {
        form.format().call1(&JsValue::UNDEFINED, date).ok()?.as_string()
    }

    fn zone(form: &DateTimeFormat) -> Option<String> {
        Reflect::get(&form.resolved_options(), &"timeZone".into()).ok()?.as_string()
    }
}
