//! The text layer on real files: a tokenizer of Hugging Face's library, and the same vocabulary in
//! the header of a GGUF file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};

use june_models::header::Gguf;
use june_models::text::{self, Decoder, Template, Tokenizer, Vocabulary};
use june_models::types::{Message, Request, Role};
use june_tests::fixture;
use serde_json::Value;

/// The folder of the models; without it, says so and returns nothing.
fn fixtures(test: &str) -> Option<PathBuf> {
    fixture(test, "fixtures/llm")
}

/// The tokenizer and the template of a model: from its folder, and from its GGUF file.
fn both(folder: &Path, model: &str) -> [(Tokenizer, Template); 2] {
    let header = Gguf::open(&folder.join(format!("{model}-f32.gguf"))).unwrap().metadata;
    let tokenizer = Tokenizer::from_vocabulary(&Vocabulary::of(&header)).unwrap();
    let template = header.text("tokenizer.chat_template");
    let template = Template::new(template, tokenizer.marks()).unwrap();
    [text::load(&folder.join(model)).unwrap(), (tokenizer, template)]
}

fn asked(content: &str) -> Request {
    Request { messages: vec![Message::text(Role::User, content)], ..Request::default() }
}

#[test]
fn prompts_have_the_tokens_of_the_reference() {
    let Some(folder) = fixtures("prompts_have_the_tokens_of_the_reference") else { return };
    for model in ["dense", "moe"] {
        let reference = std::fs::read(folder.join(format!("{model}-reference.json"))).unwrap();
        let reference: Value = serde_json::from_slice(&reference).unwrap();
        let ids = |case: &Value, field: &str| -> Vec<u32> {
            serde_json::from_value(case[field].clone()).unwrap()
        };
        for (tokenizer, template) in both(&folder, model) {
            for case in reference["cases"].as_array().unwrap() {
                let tokens = match case["name"].as_str().unwrap() {
                    "raw" => tokenizer.encode_text("the quick brown fox").unwrap(),
                    "one" => tokenizer.encode_text("a").unwrap(),
                    "chat" => {
                        let prompt = template.render(&asked("reads the answer: café ☕")).unwrap();
                        tokenizer.encode(&prompt).unwrap()
                    }
                    other => panic!("{other}"),
                };
                assert_eq!(tokens, ids(case, "prompt_ids"), "{model} {}", case["name"]);

                // The library writes control tokens out; here they have no text.
                let greedy = ids(case, "greedy_ids_32_no_eos_stop");
                let mut expected = case["greedy_text"].as_str().unwrap().to_owned();
                for mark in ["<|im_start|>", "<|im_end|>", "<|endoftext|>"] {
                    assert!(tokenizer.is_control(tokenizer.mark(mark).unwrap()));
                    expected = expected.replace(mark, "");
                }
                let mut decoder = Decoder::new(&tokenizer);
                let mut decoded: String = greedy.iter().map(|id| decoder.push(*id)).collect();
                decoded.push_str(&decoder.finish());
                assert_eq!(decoded, expected, "{model} {}", case["name"]);
            }
            assert_eq!(tokenizer.ends(), [343, 345]);
        }
    }
}

#[test]
fn a_folder_and_a_gguf_file_agree() {
    let Some(folder) = fixtures("a_folder_and_a_gguf_file_agree") else { return };
    for model in ["dense", "moe", "toolcaller"] {
        let [(tokenizer, template), (other, other_template)] = both(&folder, model);
        for text in [
            "",
            " the quick  brown\n\n fox\t1234 jumps' don't\u{a0}",
            "café ☕ \u{301} 日本語 👩‍👩‍👧",
            "<|im_end|> <think> </tool_call> <|im_",
            "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}",
        ] {
            let tokens = tokenizer.encode_text(text).unwrap();
            assert_eq!(tokens, other.encode_text(text).unwrap());
            assert!(tokens.iter().all(|token| *token < 343), "{text}");
            let prompt = template.render(&asked(text)).unwrap();
            assert_eq!(prompt, other_template.render(&asked(text)).unwrap());
            let tokens = tokenizer.encode(&prompt).unwrap();
            assert_eq!(tokens, other.encode(&prompt).unwrap());
            let marks: Vec<u32> = tokens.into_iter().filter(|token| *token >= 343).collect();
            assert_eq!(marks, [344, 345, 344], "{text}");
        }
        for token in 0..384 {
            assert_eq!(tokenizer.bytes(token), other.bytes(token), "{token}");
            assert_eq!(tokenizer.is_control(token), other.is_control(token), "{token}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_folder_is_told() {
    let Some(folder) = fixtures("what_is_wrong_with_a_folder_is_told") else { return };
    let error = text::load(&folder).unwrap_err().to_string();
    assert!(error.contains("tokenizer.json") && error.contains("\nhint: "), "{error}");
}
