//! Compiler tests: every snippet verifies, and the code is what it should be.

use perilune_ir::listing::listing;
use perilune_ir::verify::verify;

use crate::compile;

#[test]
fn try_it() {
    let path = std::env::var("SNIPPET").unwrap_or_default();
    if path.is_empty() {
        return;
    }
    let source = std::fs::read(path).unwrap();
    match compile(&source, b"=x") {
        Ok(function) => {
            verify(&function).unwrap();
            println!("{}", listing(&function));
        }
        Err(error) => println!("{error}"),
    }
}
