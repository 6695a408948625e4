//! Names and descriptions as parts of a program's text.

use std::fmt::Write as _;

/// A string literal in double quotes, good in Rust and in TypeScript: printable ASCII as it is, everything else by its
/// number, so that no character can hide, end the literal or turn the line around.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='~' => out.push(character),
            // INVARIANT: writing to a string does not fail.
            _ => write!(out, "\\u{{{:x}}}", u32::from(character)).expect("a string takes everything"),
        }
    }
    out.push('"');
    out
}

/// What a comment says of a name, with its description where it has one. One line, and no markup: neither the end of a
/// comment nor a link, a tag or a direction of writing gets into it.
pub(super) fn about(name: &str, description: &str) -> String {
    let name = literal(name).replace('`', "\\u{60}").replace("*/", "*\\u{2f}");
    let name = &name[1..name.len() - 1];
    let mut line = String::new();
    for word in
        description.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty())
    {
        let from = line.len();
        for character in word.chars().filter(|character| !turns(*character)) {
            if "\\`*_[]<>#|~@".contains(character) || (character == '/' && line.ends_with('*')) {
                line.push('\\');
            }
            line.push(character);
        }
        if line.len() > from {
            line.push(' ');
        }
    }
    match line.trim_end() {
        "" => format!("`{name}`"),
        line => format!("`{name}`: {line}"),
    }
}

/// Marks without a width that change how the text around them is shown.
fn turns(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_say_what_they_are_made_of() {
        assert_eq!(literal("miner:reboot"), r#""miner:reboot""#);
        assert_eq!(literal("a\"b\\c"), r#""a\"b\\c""#);
        assert_eq!(
            literal("*/\n\u{2028}サ😀\u{202e}\0"),
            r#""*/\u{a}\u{2028}\u{30b5}\u{1f600}\u{202e}\u{0}""#
        );
        assert_eq!(literal("${x} `y` 'z'"), r#""${x} `y` 'z'""#);
    }

    #[test]
    fn comments_stay_one_line_and_plain() {
        assert_eq!(about("a:b", ""), "`a:b`");
        assert_eq!(about("a:b", " \n\t"), "`a:b`");
        assert_eq!(about("a:b", "See the list"), "`a:b`: See the list");
        assert_eq!(about("a:b", "One\r\ntwo\u{2028}three\0four"), "`a:b`: One two three four");
        assert_eq!(
            about("a:b", "End */ here [x] <T> @deprecated"),
            r"`a:b`: End \*\/ here \[x\] \<T\> \@deprecated"
        );
        assert_eq!(about("a:b", "\u{202e}turned \u{feff}\u{200b} around"), "`a:b`: turned around");
        assert!(!about("*/`**/", "*/ **/ */*/").contains("*/"));
        assert_eq!(about("a`\n*/", ""), r"`a\u{60}\u{a}*\u{2f}`");
    }
}
