//! What a tool answered, as text: a model is told of all else in words.

use june_sandbox::contract::ToolError;
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

use crate::size::show_bytes;

/// The most bytes of an answer.
const LONGEST: usize = 1 << 20;

const OTHER: &str = "[something of another kind, left out]";

/// The answer, and whether it is an error's.
pub(super) fn told(result: CallToolResult) -> Result<(String, bool), ToolError> {
    let mut text = String::new();
    for block in &result.content {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&words(block));
        if text.len() > LONGEST {
            break;
        }
    }
    if result.content.is_empty()
        && let Some(value) = &result.structured_content
    {
        text = value.to_string();
    }
    if text.len() > LONGEST {
        return Err(ToolError::Limit(format!(
            "the answer has more than {}; ask for less",
            show_bytes(LONGEST as u64)
        )));
    }
    Ok((text, result.is_error.unwrap_or(false)))
}

fn words(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(part) => part.text.clone(),
        ContentBlock::Image(part) => left_out("an image", &part.mime_type, &part.data),
        ContentBlock::Audio(part) => left_out("a sound", &part.mime_type, &part.data),
        ContentBlock::Resource(part) => match &part.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => format!("[{uri}]\n{text}"),
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                let kind = mime_type.as_deref().unwrap_or("of no known type");
                format!("{} {uri}", left_out("a file", kind, blob))
            }
            _ => OTHER.into(),
        },
        ContentBlock::ResourceLink(link) => format!("[a link to {}: {}]", link.name, link.uri),
        _ => OTHER.into(),
    }
}

/// Says what base64 is left out.
fn left_out(what: &str, kind: &str, base64: &str) -> String {
    let bytes = base64.trim_end_matches('=').len() / 4 * 3;
    format!("[{what}, {kind}, {}, left out]", show_bytes(bytes as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn of(value: serde_json::Value) -> Result<(String, bool), ToolError> {
        told(from_value(value).unwrap())
    }

    #[test]
    fn all_kinds_are_told() {
        let answer = of(json!({"content": [
            {"type": "text", "text": "one"},
            {"type": "image", "data": "AAAAAAAA", "mimeType": "image/png"},
            {"type": "audio", "data": "AAAA", "mimeType": "audio/wav"},
            {"type": "resource", "resource": {"uri": "test://a", "text": "inside"}},
            {"type": "resource", "resource": {"uri": "test://b", "blob": "AAAA"}},
            {"type": "resource_link", "uri": "test://c", "name": "c"},
        ]}));
        let expected = "one\n[an image, image/png, 6 B, left out]\n[a sound, audio/wav, 3 B, left out]\n\
                        [test://a]\ninside\n[a file, of no known type, 3 B, left out] test://b\n\
                        [a link to c: test://c]";
        assert_eq!(answer.unwrap(), (expected.to_owned(), false));
        let answer = of(json!({"structuredContent": {"sum": 3}, "isError": true}));
        assert_eq!(answer.unwrap(), ("{\"sum\":3}".to_owned(), true));
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let text = "x".repeat(LONGEST);
        assert!(of(json!({"content": [{"type": "text", "text": text}]})).is_ok());
        let answer = of(json!({"content": [{"type": "text", "text": text + "x"}]}));
        assert!(matches!(answer, Err(ToolError::Limit(_))));
    }
}
