//! Tool calls, put together from the pieces that servers send.

use crate::openai::chunk::CallPiece;
use crate::text::ids::{Ids, MOST_CALLS};
use crate::types::{Request, ToolCall};

/// The calls of an answer, while it comes in.
///
/// A piece belongs to the call with its index; without an index, to the call with its `id`;
/// without either, it begins a call if it has a name and goes on with the last one if not. A name
/// may come in pieces, or again with every piece. A new `id` and a name under an index that is in
/// use begin another call, since some servers number every call 0.
#[derive(Debug)]
pub(crate) struct Calls {
    calls: Vec<CallPiece>,
    ids: Ids,
}

impl Calls {
    /// The calls of the answer to this request.
    pub(crate) fn new(request: &Request) -> Calls {
        Calls { calls: Vec::new(), ids: Ids::new(request) }
    }

    /// Adds a piece. The error says what is wrong with it.
    pub(crate) fn push(&mut self, piece: CallPiece) -> Result<(), String> {
        let Some(call) = self.find(&piece) else {
            if self.calls.len() == MOST_CALLS {
                return Err(format!("it asked for more than {MOST_CALLS} tools at once"));
            }
            self.calls.push(piece);
            return Ok(());
        };
        if call.id.is_empty() {
            call.id = piece.id;
        }
        if call.arguments.is_empty() && call.name != piece.name {
            call.name.push_str(&piece.name);
        }
        call.arguments.push_str(&piece.arguments);
        Ok(())
    }

    /// The call that the piece goes on with.
    fn find(&mut self, piece: &CallPiece) -> Option<&mut CallPiece> {
        let mut newest_first = self.calls.iter_mut().rev();
        match piece.index {
            Some(index) => {
                let call = newest_first.find(|call| call.index == Some(index))?;
                let differs = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
                let another = differs(&call.id, &piece.id) && !piece.name.is_empty();
                (!another).then_some(call)
            }
            None if !piece.id.is_empty() => newest_first.find(|call| call.id == piece.id),
            None if piece.name.is_empty() => newest_first.next(),
            None => None,
        }
    }

    /// The calls, whole, in the order of their indices. `cut` says that the answer was cut off: a
    /// last call whose arguments are not JSON is then left out. No arguments at all become `{}`.
    ///
    /// An identifier that is missing, or that the conversation has already, is replaced by
    /// `call-N`, where N counts the conversation's calls.
    pub(crate) fn finish(mut self, cut: bool) -> Result<Vec<ToolCall>, String> {
        let json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        if cut && self.calls.last().is_some_and(|call| !json(&call.arguments)) {
            self.calls.pop();
        }
        self.calls.sort_by_key(|call| call.index.unwrap_or(u64::MAX));
        let mut whole = Vec::with_capacity(self.calls.len());
        for call in self.calls {
            let CallPiece { id, name, mut arguments, .. } = call;
            if name.is_empty() {
                return Err("it asked for a tool and did not name it".to_owned());
            }
            if arguments.trim().is_empty() {
                arguments = "{}".to_owned();
            }
            whole.push(ToolCall { id: self.ids.give(id), name, arguments });
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Message, Part, Role};

    fn piece(index: Option<u64>, id: &str, name: &str, arguments: &str) -> CallPiece {
        CallPiece { index, id: id.into(), name: name.into(), arguments: arguments.into() }
    }

    /// Each call as `id name arguments`.
    fn assemble(pieces: impl IntoIterator<Item = CallPiece>) -> Vec<String> {
        let mut calls = Calls::new(&Request::default());
        pieces.into_iter().for_each(|piece| calls.push(piece).unwrap());
        shown(calls.finish(false).unwrap())
    }

    fn shown(calls: Vec<ToolCall>) -> Vec<String> {
        let shown = |call: ToolCall| format!("{} {} {}", call.id, call.name, call.arguments);
        calls.into_iter().map(shown).collect()
    }

    #[test]
    fn pieces_with_an_index() {
        let pieces = [
            piece(Some(1), "b", "g", ""),
            piece(Some(0), "a", "f", "{"),
            piece(Some(1), "", "", "{}"),
            piece(Some(0), "a", "f", "}"),
        ];
        assert_eq!(assemble(pieces), ["a f {}", "b g {}"]);
    }

    #[test]
    fn pieces_without_an_index() {
        let pieces = [
            piece(None, "a", "f", ""),
            piece(None, "", "", "{}"),
            piece(None, "b", "g", "{"),
            piece(None, "b", "", "}"),
            piece(None, "", "h", "[1]"),
            piece(None, "", "h", "[2]"),
        ];
        assert_eq!(assemble(pieces), ["a f {}", "b g {}", "call-3 h [1]", "call-4 h [2]"]);
    }

    #[test]
    fn names_in_pieces_and_names_again() {
        let split = [piece(Some(0), "a", "get_", ""), piece(Some(0), "", "weather", "{}")];
        assert_eq!(assemble(split), ["a get_weather {}"]);
        let again = [piece(Some(0), "a", "f", ""), piece(Some(0), "a", "f", "{}")];
        assert_eq!(assemble(again), ["a f {}"]);
    }

    #[test]
    fn calls_that_are_all_number_0() {
        let pieces = [
            piece(Some(0), "a", "f", "{}"),
            piece(Some(0), "b", "f", "{"),
            piece(Some(0), "", "", "}"),
        ];
        assert_eq!(assemble(pieces), ["a f {}", "b f {}"]);
        let drifting = [piece(Some(0), "a", "f", "{"), piece(Some(0), "b", "", "}")];
        assert_eq!(assemble(drifting), ["a f {}"]);
    }

    #[test]
    fn identifiers_are_unique_within_the_conversation() {
        let call = |id: &str| ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into() };
        let parts = vec![Part::Call(call("0")), Part::Call(call("call-3"))];
        let messages = vec![Message { role: Role::Assistant, parts }];
        let mut calls = Calls::new(&Request { messages, ..Request::default() });
        for id in ["0", "", "x", "x"] {
            calls.push(piece(None, "", "f", "")).unwrap();
            if let Some(last) = calls.calls.last_mut() {
                last.id = id.into();
            }
        }
        let calls = shown(calls.finish(false).unwrap());
        assert_eq!(calls, ["call-4 f {}", "call-5 f {}", "x f {}", "call-6 f {}"]);
    }

    #[test]
    fn what_makes_no_call_is_refused() {
        let mut calls = Calls::new(&Request::default());
        calls.push(piece(Some(u64::MAX), "a", "", "{}")).unwrap();
        assert!(calls.finish(false).is_err());
        let mut calls = Calls::new(&Request::default());
        let many = |calls: &mut Calls| calls.push(piece(None, "", "f", ""));
        (0..MOST_CALLS).for_each(|_| many(&mut calls).unwrap());
        assert!(many(&mut calls).is_err());
    }

    #[test]
    fn a_call_that_was_cut_off_is_no_call() {
        for (arguments, whole) in [("{\"a\":", 1), ("{}", 2)] {
            let mut calls = Calls::new(&Request::default());
            calls.push(piece(Some(0), "a", "f", "{}")).unwrap();
            calls.push(piece(Some(1), "b", "f", arguments)).unwrap();
            assert_eq!(calls.finish(true).unwrap().len(), whole);
        }
    }
}
