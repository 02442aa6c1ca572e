//! Text from outside on its way into a prompt.

/// The text on one line without control, invisible or reordering characters and without our own delimiters, at most `max`
/// characters long.
pub fn clean(text: &str, max: usize) -> String {
    let mut result = String::new();
    for (length, c) in text.chars().enumerate() {
        if length >= max {
            result.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => result.push(' '),
            c if c.is_control() => {}
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}' => {}
            c => result.push(c),
        }
    }
    result
        .replace("<<<", "< < <")
        .replace(">>>", "> > >")
        .replace("===", "= = =")
}
