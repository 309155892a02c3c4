//! Rebuilds the crate when the built front end changes: it is embedded into the binary.
fn main() {
    println!("cargo:rerun-if-changed=../../target/site");
}
