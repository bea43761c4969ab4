//! Values in words, for the journal: as in WAVE, the text format of the
//! component model, but for bytes, which are told by their number, and handles.

use std::fmt::Write;

use wasmtime::component::Resource;

/// A value that the journal can tell.
pub(crate) trait Told {
    /// Appends the value's text.
    fn tell(&self, text: &mut String);

    /// The value's text.
    fn told(&self) -> String {
        let mut text = String::new();
        self.tell(&mut text);
        text
    }
}

macro_rules! told_as_displayed {
    ($($type:ty),*) => {$(
        impl Told for $type {
            fn tell(&self, text: &mut String) {
                let _ = write!(text, "{self}");
            }
        }
    )*};
}

told_as_displayed!(bool, u8, u16, u32, u64);

/// Tells values as they are written for debugging.
macro_rules! told_as_written_for_debugging {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::told::Told for $type {
            fn tell(&self, text: &mut String) {
                text.push_str(&format!("{self:?}"));
            }
        }
    )*};
}

pub(crate) use told_as_written_for_debugging;

impl Told for String {
    fn tell(&self, text: &mut String) {
        let _ = write!(text, "{self:?}");
    }
}

impl<T: 'static> Told for Resource<T> {
    fn tell(&self, text: &mut String) {
        let _ = write!(text, "#{}", self.rep());
    }
}

impl Told for Vec<u8> {
    fn tell(&self, text: &mut String) {
        let _ = write!(text, "{} bytes", self.len());
    }
}

fn tell_list<T: Told>(items: impl IntoIterator<Item = T>, text: &mut String) {
    text.push('[');
    for (index, item) in items.into_iter().enumerate() {
        text.push_str(if index == 0 { "" } else { ", " });
        item.tell(text);
    }
    text.push(']');
}

impl<T: Told> Told for &T {
    fn tell(&self, text: &mut String) {
        (*self).tell(text);
    }
}

impl<T: 'static> Told for Vec<Resource<T>> {
    fn tell(&self, text: &mut String) {
        tell_list(self, text);
    }
}

impl Told for Vec<Vec<u8>> {
    fn tell(&self, text: &mut String) {
        tell_list(self, text);
    }
}

impl Told for Vec<u32> {
    fn tell(&self, text: &mut String) {
        tell_list(self, text);
    }
}

impl Told for Vec<String> {
    fn tell(&self, text: &mut String) {
        tell_list(self, text);
    }
}

impl<A: Told, B: Told> Told for Vec<(A, B)> {
    fn tell(&self, text: &mut String) {
        tell_list(self.iter().map(Pair), text);
    }
}

/// A pair within a list, which has its parentheses.
struct Pair<'a, A, B>(&'a (A, B));

impl<A: Told, B: Told> Told for Pair<'_, A, B> {
    fn tell(&self, text: &mut String) {
        text.push('(');
        self.0.tell(text);
        text.push(')');
    }
}

impl<T: Told> Told for Option<T> {
    fn tell(&self, text: &mut String) {
        match self {
            None => text.push_str("none"),
            Some(value) => {
                text.push_str("some(");
                value.tell(text);
                text.push(')');
            }
        }
    }
}

impl<T: Told, E: Told> Told for Result<T, E> {
    fn tell(&self, text: &mut String) {
        let (name, value): (_, &dyn Told) = match self {
            Ok(value) => ("ok", value),
            Err(error) => ("err", error),
        };
        text.push_str(name);
        let value = value.told();
        if !value.is_empty() {
            let _ = write!(text, "({value})");
        }
    }
}

// Lists of arguments and of results; the journal writes the parentheses.

impl Told for () {
    fn tell(&self, _: &mut String) {}
}

macro_rules! told_as_lists {
    ($(($($index:tt $type:ident),+))*) => {$(
        impl<$($type: Told),+> Told for ($($type,)+) {
            fn tell(&self, text: &mut String) {
                $(
                    text.push_str(if $index == 0 { "" } else { ", " });
                    self.$index.tell(text);
                )+
            }
        }
    )*};
}

told_as_lists!(
    (0 A)
    (0 A, 1 B)
    (0 A, 1 B, 2 C)
    (0 A, 1 B, 2 C, 3 D)
    (0 A, 1 B, 2 C, 3 D, 4 E)
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_as_in_wave() {
        let value = (vec![("a".to_owned(), "b\n".to_owned())], Some(7_u32), vec![1_u8, 2]);
        assert_eq!(value.told(), r#"[("a", "b\n")], some(7), 2 bytes"#);
        let results = (Ok::<(), bool>(()), Err::<u8, _>(true), None::<u64>);
        assert_eq!(results.told(), "ok, err(true), none");
        assert_eq!(().told(), "");
    }
}
