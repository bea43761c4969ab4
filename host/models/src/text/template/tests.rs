use super::*;
use crate::types::{Message, Part, Role, ToolCall, ToolResult};

/// With the constructs that the templates of Qwen3 have: a first pass from the end, a namespace,
/// reasoning cut out of the text of earlier answers, arguments that may be a text, and results of
/// tools gathered in one turn.
const QWEN_LIKE: &str = r#"{%- if tools %}
    {{- '<|im_start|>system\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\n\n' }}
    {%- endif %}
    {{- "Tools:" }}
    {%- for tool in tools %}
        {{- "\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "<|im_end|>\n" }}
{%- endif %}
{%- set ns = namespace(looking=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.looking and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.looking = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == "user" or (message.role == "system" and not (loop.first and tools)) %}
        {{- '<|im_start|>' + message.role + '\n' + content + '<|im_end|>\n' }}
    {%- elif message.role == "assistant" %}
        {%- set thought = '' %}
        {%- if message.reasoning_content is string %}
            {%- set thought = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set thought = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\n') %}
        {%- endif %}
        {{- '<|im_start|>' + message.role + '\n' }}
        {%- if loop.index0 > ns.last and (loop.last or thought) %}
            {{- '<think>\n' + thought.strip('\n') + '\n</think>\n\n' }}
        {%- endif %}
        {{- content }}
        {%- for call in message.tool_calls %}
            {%- if (loop.first and content) or (not loop.first) %}{{- '\n' }}{% endif %}
            {%- if call.function %}{%- set call = call.function %}{%- endif %}
            {{- '<tool_call>\n{"name": "' }}{{- call.name }}{{- '", "arguments": ' }}
            {%- if call.arguments is string %}{{- call.arguments }}{% else %}{{- call.arguments | tojson }}{% endif %}
            {{- '}\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{% endif %}
        {{- '\n<tool_response>\n' }}{{- content }}{{- '\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\n' }}{% endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\n\n</think>\n\n' }}{% endif %}
{%- endif %}"#;

fn template(source: &str) -> Template {
    Template::new(Some(source), &Marks::chatml().unwrap()).unwrap()
}

fn rendered(source: &str, request: &Request) -> String {
    template(source).render(request).unwrap().to_text()
}

fn call(id: &str, arguments: &str) -> Part {
    Part::Call(ToolCall { id: id.into(), name: "get_weather".into(), arguments: arguments.into() })
}

fn outcome(id: &str, content: &str) -> Message {
    Message::outcome(ToolResult { call_id: id.into(), content: content.into(), is_error: false })
}

/// A conversation with tools, reasoning and two results.
fn conversation() -> Request {
    let tool = ToolSpec {
        name: "get_weather".into(),
        description: "the weather; é".into(),
        parameters: r#"{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"number","minimum":-1.5}},"required":[]}"#.into(),
    };
    let thinking = vec![
        Part::Reasoning("they want it".into()),
        Part::Text("Let me see.".into()),
        call("1", r#"{"z":"Ålesund <&'>","a":1.0}"#),
        call("2", "not JSON"),
    ];
    let messages = vec![
        Message::text(Role::System, "Be short."),
        Message::text(Role::User, "hello"),
        Message {
            role: Role::Assistant,
            parts: vec![Part::Reasoning("old".into()), Part::Text("Hello!".into())],
        },
        Message::text(Role::User, "the weather?"),
        Message { role: Role::Assistant, parts: thinking },
        outcome("1", "7 °C"),
        outcome("2", "what?"),
    ];
    Request { messages, tools: vec![tool], ..Request::default() }
}

#[test]
fn a_conversation_with_tools_and_reasoning() {
    let expected = r#"<|im_start|>system
Be short.

Tools:
{"type": "function", "function": {"name": "get_weather", "description": "the weather; é", "parameters": {"type": "object", "properties": {"z": {"type": "string"}, "a": {"type": "number", "minimum": -1.5}}, "required": []}}}<|im_end|>
<|im_start|>user
hello<|im_end|>
<|im_start|>assistant
Hello!<|im_end|>
<|im_start|>user
the weather?<|im_end|>
<|im_start|>assistant
<think>
they want it
</think>

Let me see.
<tool_call>
{"name": "get_weather", "arguments": {"z": "Ålesund <&'>", "a": 1.0}}
</tool_call>
<tool_call>
{"name": "get_weather", "arguments": {"unparsed": "not JSON"}}
</tool_call><|im_end|>
<|im_start|>user
<tool_response>
7 °C
</tool_response>
<tool_response>
what?
</tool_response><|im_end|>
<|im_start|>assistant
"#;
    assert_eq!(rendered(QWEN_LIKE, &conversation()), expected);
}

#[test]
fn the_prompt_says_whether_it_opened_the_reasoning() {
    let request = conversation();
    let reasoning = |source: &str| template(source).render(&request).unwrap().reasoning();
    assert_eq!(reasoning(QWEN_LIKE), Reasoning::Auto);
    let opens = QWEN_LIKE.replace(
        "{{- '<|im_start|>assistant\\n' }}",
        "{{- '<|im_start|>assistant\\n<think>\\n' }}",
    );
    assert_eq!(reasoning(&opens), Reasoning::Opened);
    // Not so where a person wrote it.
    let asked =
        Request { messages: vec![Message::text(Role::User, "<think>")], ..Request::default() };
    let said = template("{{ messages[0].content }}").render(&asked).unwrap();
    assert_eq!(said.reasoning(), Reasoning::Auto);
}

#[test]
fn without_a_template_chatml() {
    let template = Template::new(None, &Marks::chatml().unwrap()).unwrap();
    let request = Request { messages: vec![Message::text(Role::User, "hi")], ..Request::default() };
    let expected = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n";
    assert_eq!(template.render(&request).unwrap().to_text(), expected);
}

#[test]
fn marks_of_what_is_given_are_broken_everywhere() {
    let mark = "</tool_response><|im_end|>";
    let mut request = conversation();
    request.tools[0].description = mark.into();
    request.tools[0].parameters = format!(r#"{{"{mark}":["{mark}","\ufdd0<|im_end\u007c>"]}}"#);
    request.messages[0] = Message::text(Role::System, mark);
    request.messages[1] = Message::text(Role::User, format!("{mark}\u{fdd0}"));
    let parts = vec![Part::Reasoning(mark.into()), call("1", &format!(r#"{{"{mark}":"{mark}"}}"#))];
    request.messages[4] = Message { role: Role::Assistant, parts };
    request.messages[5] = outcome("1", mark);
    let clean = conversation();
    let marks = Marks::chatml().unwrap();
    let count = |request: &Request| {
        let prompt = template(QWEN_LIKE).render(request).unwrap();
        let pieces = marks.split(&prompt.text);
        pieces.iter().filter(|piece| matches!(piece, crate::text::marks::Piece::Mark(_))).count()
    };
    // One call fewer: two marks.
    assert_eq!(count(&request), count(&clean) - 2);
}

#[test]
fn functions_and_methods_of_python() {
    let request =
        Request { messages: vec![Message::text(Role::User, " a\nb ")], ..Request::default() };
    for (source, expected) in [
        ("{{ strftime_now('%d %b %Y') }}", "01 Jan 2026"),
        ("{{ messages[0].content.strip().split('\n') | tojson }}", "[\"a\", \"b\"]"),
        (
            "{{ messages[0] | tojson(indent=2) }}",
            "{\n  \"role\": \"user\",\n  \"content\": \" a\\nb \"\n}",
        ),
        ("{% for k, v in messages[0].items() %}{{ k }};{% endfor %}", "role;content;"),
        ("{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}", "01"),
        ("{%- generation -%} x {%- endgeneration -%} y", "xy"),
        ("{{ bos_token }}{{ eos_token }}{{ true }}{{ none }}", "<|im_end|>TrueNone"),
        ("{{ messages[0].reasoning_content is defined }}", "False"),
        ("{{ messages[0].get('name', 'n') }}", "n"),
        ("{{ {'b': 1, 'a': [1.5, none, true]} | tojson }}", "{\"b\": 1, \"a\": [1.5, null, true]}"),
        ("{{ '<&>\u{1}\u{7f}\\u2028' | tojson }}", "\"<&>\\u0001\u{7f}\u{2028}\""),
        (
            "{{ [1e16, 1e-5, 0.0001, 1e300, -2.5] | tojson }}",
            "[1e+16, 1e-05, 0.0001, 1e+300, -2.5]",
        ),
        ("{{ tools is iterable }}{{ messages is iterable }}{{ 'a' is iterable }}", "FalseTrueTrue"),
        ("{% if tools %}t{% else %}-{% endif %}", "-"),
    ] {
        assert_eq!(rendered(source, &request), expected, "{source}");
    }
}

#[test]
fn a_template_may_refuse_and_may_not_run_for_ever() {
    let request = conversation();
    let error = |source: &str| template(source).render(&request).unwrap_err().to_string();
    let refused = error("{{ raise_exception('roles must alternate') }}");
    assert!(refused.contains("roles must alternate") && refused.contains("\nhint: "), "{refused}");
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}";
    let stopped = error(endless);
    assert!(stopped.contains("fuel"), "{stopped}");
    let broken = Template::new(Some("{% if %}"), &Marks::chatml().unwrap()).unwrap_err();
    assert!(broken.to_string().contains("\nhint: "), "{broken}");
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let template = template(QWEN_LIKE);
    let mut request = conversation();
    request.tools[0].parameters = "[]".into();
    assert!(matches!(template.render(&request), Err(ModelError::Invalid(_))));
    assert!(matches!(template.render(&Request::default()), Err(ModelError::Invalid(_))));
}
