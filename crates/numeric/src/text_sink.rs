//! Where formatted numbers go.

/// A growing text: what the formatting functions write to. The vm's string builder implements it, so that
/// no intermediate string is made.
pub trait TextSink {
    /// Appends text.
    fn push_text(&mut self, text: &str);
    /// Appends a code point (which may be a surrogate) so many times.
    fn push_repeated(&mut self, code_point: u32, count: usize);
    /// Makes room for so many more code points; false if there is no memory for them.
    fn reserve(&mut self, count: usize) -> bool;
}

/// Surrogates, which a `String` cannot hold, become U+FFFD.
impl TextSink for String {
    fn push_text(&mut self, text: &str) {
        self.push_str(text);
    }

    fn push_repeated(&mut self, code_point: u32, count: usize) {
        let char = char::from_u32(code_point).unwrap_or(char::REPLACEMENT_CHARACTER);
        self.extend(std::iter::repeat_n(char, count));
    }

    fn reserve(&mut self, count: usize) -> bool {
        self.try_reserve(count).is_ok()
    }
}

impl TextSink for Vec<u32> {
    fn push_text(&mut self, text: &str) {
        self.extend(text.chars().map(u32::from));
    }

    fn push_repeated(&mut self, code_point: u32, count: usize) {
        self.extend(std::iter::repeat_n(code_point, count));
    }

    fn reserve(&mut self, count: usize) -> bool {
        self.try_reserve(count).is_ok()
    }
}
