//! Texts with entities, checked at least as strictly as Telegram does.

use serde_json::Value;

const KINDS: [&str; 19] = [
    "mention",
    "hashtag",
    "cashtag",
    "bot_command",
    "url",
    "email",
    "phone_number",
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
];

/// The text of a field, trimmed as Telegram does, and its entities.
pub(super) fn text(
    parameters: &Value,
    text: &str,
    entities: &str,
    most: usize,
) -> Result<(String, Vec<Value>), (u16, String)> {
    let text = parameters[text].as_str().unwrap_or_default();
    if parameters.get("parse_mode").is_some() {
        return Err(refused("this double knows entities only, not parse_mode"));
    }
    let wide: Vec<u16> = text.encode_utf16().collect();
    if wide.len() > most {
        let what = if most == 1024 { "message caption is too long" } else { "message is too long" };
        return Err((400, format!("Bad Request: {what}")));
    }
    let entities = match &parameters[entities] {
        Value::Null => Vec::new(),
        Value::Array(entities) => entities.clone(),
        _ => return Err(refused("entities are no array")),
    };
    let mut ranges: Vec<(usize, usize, &str)> = Vec::new();
    for entity in &entities {
        let kind = entity["type"].as_str().unwrap_or_default();
        if !KINDS.contains(&kind) {
            return Err(refused("unknown type of an entity"));
        }
        let number = |name: &str| entity[name].as_u64().map(|number| number as usize);
        let (Some(start), Some(length)) = (number("offset"), number("length")) else {
            return Err(refused("an entity without offset or length"));
        };
        let end = start + length;
        if length == 0 || end > wide.len() || String::from_utf16(&wide[start..end]).is_err() {
            return Err(refused(&format!("entity {kind} at {start} for {length}")));
        }
        if kind == "text_link" && !entity["url"].as_str().is_some_and(|url| url.starts_with("http"))
        {
            return Err(refused("wrong address in an entity"));
        }
        for (other, far, around) in &ranges {
            let apart = *far <= start || end <= *other;
            let within = *other <= start && end <= *far || start <= *other && *far <= end;
            let block = |kind: &str| matches!(kind, "pre" | "blockquote");
            if !apart && !within {
                return Err(refused("entities overlap"));
            }
            if !apart && (*around == "pre" || *around == kind && block(kind)) {
                return Err(refused(&format!("entity {kind} within {around}")));
            }
        }
        ranges.push((start, end, kind));
    }
    Ok((text.trim_end().to_owned(), entities))
}

fn refused(why: &str) -> (u16, String) {
    (400, format!("Bad Request: can't parse entities: {why}"))
}
