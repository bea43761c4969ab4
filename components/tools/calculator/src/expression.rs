//! Arithmetic expressions: read by descent, one function for each level of precedence, and computed
//! on the way.

use std::fmt;
use std::iter::Peekable;
use std::str::CharIndices;

/// Parentheses and signs within each other; more would be a mistake, or an attack on the stack.
const DEEPEST: u32 = 100;

/// What is wrong with an expression.
#[derive(Debug, PartialEq, Eq)]
pub struct Error {
    /// Where, in characters from 1.
    pub column: usize,
    /// What.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "at character {}: {}", self.column, self.message)
    }
}

/// What an expression is worth, to 15 significant digits.
///
/// # Errors
///
/// It is no expression, or it has no value (as `1 / 0`).
pub fn evaluate(text: &str) -> Result<String, Error> {
    let mut parser = Parser { text, rest: text.char_indices().peekable(), depth: 0 };
    let value = parser.sum()?;
    match parser.peek() {
        None => Ok(shown(value)),
        Some(more) => Err(parser.error(format!("expected an operator, found `{more}`"))),
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    depth: u32,
}

impl Parser<'_> {
    /// product { (`+` | `-`) product }
    fn sum(&mut self) -> Result<f64, Error> {
        let mut value = self.product()?;
        loop {
            if self.take('+') {
                value += self.product()?;
            } else if self.take('-') || self.take('−') {
                value -= self.product()?;
            } else {
                return self.finite(value);
            }
        }
    }

    /// sign { (`*` | `/` | `%`) sign }
    fn product(&mut self) -> Result<f64, Error> {
        let mut value = self.sign()?;
        loop {
            if self.take('*') || self.take('×') {
                value *= self.sign()?;
            } else if self.take('/') || self.take('÷') {
                value /= self.divisor()?;
            } else if self.take('%') {
                value %= self.divisor()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn divisor(&mut self) -> Result<f64, Error> {
        let value = self.sign()?;
        if value == 0.0 { Err(self.error("division by zero")) } else { Ok(value) }
    }

    /// `-` sign | `+` sign | power
    fn sign(&mut self) -> Result<f64, Error> {
        if self.take('-') || self.take('−') {
            self.deeper(Self::sign).map(|value| -value)
        } else if self.take('+') {
            self.deeper(Self::sign)
        } else {
            self.power()
        }
    }

    /// atom [ (`^` | `**`) sign ]
    fn power(&mut self) -> Result<f64, Error> {
        let base = self.atom()?;
        if !self.take('^') && !self.take_twice('*') {
            return Ok(base);
        }
        let exponent = self.deeper(Self::sign)?;
        self.finite(base.powf(exponent))
    }

    /// number | constant | function `(` sum { `,` sum } `)` | `(` sum `)`
    fn atom(&mut self) -> Result<f64, Error> {
        match self.peek() {
            Some('(') => {
                self.take('(');
                let value = self.deeper(Self::sum)?;
                self.expect(')')?;
                Ok(value)
            }
            Some(digit) if digit.is_ascii_digit() || digit == '.' => self.number(),
            Some(letter) if letter.is_alphabetic() => self.name(),
            Some(other) => Err(self.error(format!("expected a number, found `{other}`"))),
            None => Err(self.error("expected a number, found the end")),
        }
    }

    fn number(&mut self) -> Result<f64, Error> {
        let column = self.column();
        let mut digits = String::new();
        while let Some(&(_, next)) = self.rest.peek() {
            let in_exponent = digits.ends_with(['e', 'E']);
            let begins_exponent = matches!(next, 'e' | 'E') && self.exponent_follows();
            if !(next.is_ascii_digit()
                || matches!(next, '.' | '_')
                || begins_exponent
                || (in_exponent && matches!(next, '+' | '-')))
            {
                break;
            }
            digits.extend((next != '_').then_some(next));
            self.rest.next();
        }
        digits.parse().map_err(|_| Error { column, message: format!("`{digits}` is no number") })
    }

    /// Whether the letter `e` that comes next stands for a power of ten, as in `1e9`.
    fn exponent_follows(&self) -> bool {
        let mut ahead = self.rest.clone().map(|(_, next)| next).skip(1);
        match ahead.next() {
            Some('+' | '-') => ahead.next().is_some_and(|next| next.is_ascii_digit()),
            Some(next) => next.is_ascii_digit(),
            None => false,
        }
    }

    fn name(&mut self) -> Result<f64, Error> {
        let column = self.column();
        let mut name = String::new();
        while let Some((_, next)) = self.rest.next_if(|(_, next)| next.is_alphanumeric()) {
            name.push(next);
        }
        if !self.take('(') {
            return match name.as_str() {
                "pi" | "π" => Ok(std::f64::consts::PI),
                "e" => Ok(std::f64::consts::E),
                _ => Err(Error { column, message: format!("`{name}` is no constant (pi, e)") }),
            };
        }
        let mut values = Vec::new();
        if self.peek() != Some(')') {
            values.push(self.deeper(Self::sum)?);
            while self.take(',') {
                values.push(self.deeper(Self::sum)?);
            }
        }
        self.expect(')')?;
        let value = apply(&name, &values).map_err(|message| Error { column, message })?;
        if value.is_finite() {
            return Ok(value);
        }
        let given: Vec<_> = values.iter().map(|value| shown(*value)).collect();
        Err(Error { column, message: format!("{name}({}) has no value", given.join(", ")) })
    }

    fn deeper(&mut self, read: fn(&mut Self) -> Result<f64, Error>) -> Result<f64, Error> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error(format!("nested deeper than {DEEPEST}")));
        }
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn finite(&mut self, value: f64) -> Result<f64, Error> {
        if value.is_finite() {
            Ok(value)
        } else {
            Err(self.error("the result is no finite number"))
        }
    }

    /// The next character that is no space.
    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|(_, next)| next.is_whitespace()).is_some() {}
        self.rest.peek().map(|(_, next)| *next)
    }

    /// Takes this character if it comes next; of two stars, neither is taken.
    fn take(&mut self, wanted: char) -> bool {
        let comes = self.peek() == Some(wanted) && !(wanted == '*' && self.twice('*'));
        if comes {
            self.rest.next();
        }
        comes
    }

    fn take_twice(&mut self, wanted: char) -> bool {
        let comes = self.peek() == Some(wanted) && self.twice(wanted);
        if comes {
            self.rest.nth(1);
        }
        comes
    }

    fn twice(&self, wanted: char) -> bool {
        self.rest.clone().take(2).filter(|(_, next)| *next == wanted).count() == 2
    }

    fn expect(&mut self, wanted: char) -> Result<(), Error> {
        if self.take(wanted) {
            return Ok(());
        }
        let found = self.peek().map_or("the end".into(), |next| format!("`{next}`"));
        Err(self.error(format!("expected `{wanted}`, found {found}")))
    }

    fn column(&mut self) -> usize {
        let at = self.rest.peek().map_or(self.text.len(), |(at, _)| *at);
        self.text[..at].chars().count() + 1
    }

    fn error(&mut self, message: impl Into<String>) -> Error {
        Error { column: self.column(), message: message.into() }
    }
}

fn apply(name: &str, values: &[f64]) -> Result<f64, String> {
    let value = match (name, values) {
        ("max", [_, ..]) => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ("min", [_, ..]) => values.iter().copied().fold(f64::INFINITY, f64::min),
        ("abs", [x]) => x.abs(),
        ("ceil", [x]) => x.ceil(),
        ("cos", [x]) => x.cos(),
        ("exp", [x]) => x.exp(),
        ("floor", [x]) => x.floor(),
        ("ln", [x]) => x.ln(),
        ("log", [x]) => x.log10(),
        ("round", [x]) => x.round(),
        ("sin", [x]) => x.sin(),
        ("sqrt", [x]) => x.sqrt(),
        ("tan", [x]) => x.tan(),
        (
            "max" | "min" | "abs" | "ceil" | "cos" | "exp" | "floor" | "ln" | "log" | "round"
            | "sin" | "sqrt" | "tan",
            _,
        ) => return Err(format!("`{name}` does not take {} values", values.len())),
        _ => return Err(format!("there is no function `{name}`")),
    };
    Ok(value)
}

/// 15 significant digits, which is what a 64-bit float can promise: so 0.1 + 0.2 is 0.3.
fn shown(value: f64) -> String {
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    if rounded != 0.0 && !(1e-7..1e15).contains(&rounded.abs()) {
        format!("{rounded:e}")
    } else {
        // Not `-0`.
        format!("{}", rounded + 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_what_people_expect() {
        for (text, value) in [
            ("1 + 2 * 3", "7"),
            ("(1 + 2) * 3", "9"),
            ("10 - 4 - 3", "3"),
            ("2 ^ 3 ^ 2", "512"),
            ("2 ** 10", "1024"),
            ("-2 ^ 2", "-4"),
            ("2 ^ -1", "0.5"),
            ("7 % 4 * 2", "6"),
            ("6 ÷ 4 × 2 − 1", "2"),
            ("--3", "3"),
            ("0 * -1", "0"),
        ] {
            assert_eq!(evaluate(text).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn numbers_come_in_several_forms() {
        for (text, value) in [
            ("0.1 + 0.2", "0.3"),
            (".5", "0.5"),
            ("1_000 * 1e3", "1000000"),
            ("1e-9", "1e-9"),
            ("2E+20", "2e20"),
            ("1 / 3", "0.333333333333333"),
            ("2 ^ 0.5", "1.4142135623731"),
        ] {
            assert_eq!(evaluate(text).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn functions_and_constants() {
        for (text, value) in [
            ("sqrt(16) + abs(-2)", "6"),
            ("max(1, 5, 3) - min(4, 2)", "3"),
            ("round(2.5) + floor(-0.5) + ceil(0.1)", "3"),
            ("sin(0) + cos(0) + ln(e) + log(1000)", "5"),
            ("pi", "3.14159265358979"),
            ("2*e", "5.43656365691809"),
        ] {
            assert_eq!(evaluate(text).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, error) in [
            ("", "at character 1: expected a number, found the end"),
            ("1 +", "at character 4: expected a number, found the end"),
            ("2 * (3 + 4", "at character 11: expected `)`, found the end"),
            ("2 $ 3", "at character 3: expected an operator, found `$`"),
            ("1.2.3", "at character 1: `1.2.3` is no number"),
            ("x + 1", "at character 1: `x` is no constant (pi, e)"),
            ("open(1)", "at character 1: there is no function `open`"),
            ("sqrt()", "at character 1: `sqrt` does not take 0 values"),
            ("1 + sqrt(-4)", "at character 5: sqrt(-4) has no value"),
            ("1 / (2 - 2)", "at character 12: division by zero"),
            ("10 ^ 400", "at character 9: the result is no finite number"),
        ] {
            assert_eq!(evaluate(text).unwrap_err().to_string(), error, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |depth| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(evaluate(&deep(100)).as_deref(), Ok("1"));
        assert!(evaluate(&deep(101)).unwrap_err().message.contains("deeper"));
        assert!(evaluate(&"-".repeat(100_000)).is_err());
    }
}
