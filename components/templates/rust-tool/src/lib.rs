//! {{name}}: counts words.

use june_sdk::{CallError, Tool, arguments, tool};

arguments! {
    // The comments on the members are what the model reads.
    struct Request {
        /// The text whose words to count.
        text: String,
    }
}

struct Component;

impl Tool for Component {
    const NAME: &str = "{{name}}";
    const DESCRIPTION: &str = "Counts the words of a text.";
    type Arguments = Request;

    fn call(request: Request) -> Result<String, CallError> {
        match request.text.split_whitespace().count() {
            0 => Err(CallError::failed("there are no words in the text")),
            words => Ok(format!("{words} words")),
        }
    }
}

tool!(Component);
