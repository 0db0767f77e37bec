//! Evaluates the indices rust-hdl leaves as text in a signal's name: `lane[i+1]$in_data`.

/// Replaces each `[expression]` in `name` by `$value`; `variable` gives the values of loop variables.
///
/// `None` if an index is no whole number or names anything but a loop variable.
pub(crate) fn resolve(name: &str, variable: &dyn Fn(&str) -> Option<i64>) -> Option<String> {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(open) = rest.find('[') {
        let length = rest[open..].find(']')?;
        let value = evaluate(&rest[open + 1..open + length], variable)?;
        text += &rest[..open];
        text += &format!("${}", u64::try_from(value).ok()?);
        rest = &rest[open + length + 1..];
    }
    Some(text + rest)
}

/// Evaluates whole-number arithmetic: `+ - * / %`, parentheses, numbers and variables.
pub(crate) fn evaluate(text: &str, variable: &dyn Fn(&str) -> Option<i64>) -> Option<i64> {
    let mut parser = Parser {
        text: text.as_bytes(),
        at: 0,
        variable,
    };
    let value = parser.sum()?;
    (parser.at == parser.text.len()).then_some(value)
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    variable: &'a dyn Fn(&str) -> Option<i64>,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn sum(&mut self) -> Option<i64> {
        let mut value = self.product()?;
        while let Some(op @ (b'+' | b'-')) = self.peek() {
            self.at += 1;
            let right = self.product()?;
            value = if op == b'+' {
                value.checked_add(right)?
            } else {
                value.checked_sub(right)?
            };
        }
        Some(value)
    }

    fn product(&mut self) -> Option<i64> {
        let mut value = self.term()?;
        while let Some(op @ (b'*' | b'/' | b'%')) = self.peek() {
            self.at += 1;
            let right = self.term()?;
            value = match op {
                b'*' => value.checked_mul(right)?,
                b'/' => value.checked_div(right)?,
                _ => value.checked_rem(right)?,
            };
        }
        Some(value)
    }

    fn term(&mut self) -> Option<i64> {
        let first = self.peek()?;
        if first == b'(' {
            self.at += 1;
            let value = self.sum()?;
            (self.peek()? == b')').then_some(())?;
            self.at += 1;
            return Some(value);
        }
        let start = self.at;
        while self
            .text
            .get(self.at)
            .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
        {
            self.at += 1;
        }
        let word = std::str::from_utf8(&self.text[start..self.at]).ok()?;
        if first.is_ascii_digit() {
            integer(word)?.try_into().ok()
        } else {
            (self.variable)(word)
        }
    }
}

/// Reads an integer as Rust writes it: `0x1f`, `0b1_0`, `16usize`.
pub(crate) fn integer(word: &str) -> Option<u128> {
    let mut digits: String = word.chars().filter(|c| *c != '_').collect();
    let radix = match digits.get(..2) {
        Some("0x") => 16,
        Some("0b") => 2,
        Some("0o") => 8,
        _ => 10,
    };
    if let Some(at) = digits.find(['u', 'i']) {
        digits.truncate(at);
    }
    u128::from_str_radix(if radix == 10 { &digits } else { &digits[2..] }, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(name: &str) -> Option<String> {
        resolve(name, &|v| (v == "i").then_some(4))
    }

    #[test]
    fn indices_are_evaluated() {
        assert_eq!(at("lane[i]$q").as_deref(), Some("lane$4$q"));
        assert_eq!(at("lane[(i+1)*2-0x3]").as_deref(), Some("lane$7"));
        assert_eq!(at("a[2]$b[i%3]$c").as_deref(), Some("a$2$b$1$c"));
        assert_eq!(at("plain").as_deref(), Some("plain"));
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for name in [
            "lane[j]",
            "lane[i-5]",
            "lane[i/0]",
            "lane[i+]",
            "lane[i",
            "lane[]",
        ] {
            assert_eq!(at(name), None, "{name}");
        }
    }

    #[test]
    fn integers_are_read_as_rust_writes_them() {
        assert_eq!(integer("0x1F"), Some(31));
        assert_eq!(integer("0b1_01"), Some(5));
        assert_eq!(integer("12usize"), Some(12));
        assert_eq!(integer("x"), None);
    }
}
