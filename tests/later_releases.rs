//! What releases of Lua 5.4 after the one that tests are compared with have corrected.

mod harness;

use harness::{GC_STRESS, INTERPRETER, THRESHOLD_1, perilune, root, run};

/// Runs a line in each way; all must print this.
fn prints(source: &str, expected: &str) {
    for way in [INTERPRETER, THRESHOLD_1, GC_STRESS] {
        let mut options = way.args.to_vec();
        options.extend(["-e", source]);
        let output = run(perilune(), root(), &options, &[]);
        assert_eq!(output.stdout, expected, "{source}, {}: {}", way.name, output.stderr);
    }
}

#[test]
fn remove_names_the_position() {
    prints(
        "print(pcall(table.remove, {1, 2, 3}, 7)) print(select(2, pcall(table.remove, {}, -1)))",
        "false\tbad argument #2 to 'table.remove' (position out of bounds)\n\
         bad argument #2 to 'table.remove' (position out of bounds)\n",
    );
}

#[test]
fn codes_rejects_stray_continuation_bytes() {
    prints(
        "print(pcall(function() for _ in utf8.codes('a\\x80b') do end end))",
        "false\t(command line):1: invalid UTF-8 code\n",
    );
}
