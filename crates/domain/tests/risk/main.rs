//! The rules of computed risk, one by one, and the page that lists them.

mod action;
mod documentation;
mod evidence;
mod history;
mod scene;
mod time;
