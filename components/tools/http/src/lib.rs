//! A tool that fetches text from the hosts that its grants name.

pub mod address;

#[cfg(target_arch = "wasm32")]
mod exchange;

#[cfg(target_arch = "wasm32")]
mod tool {
    use june_sdk::{CallError, Tool, arguments, tool};

    use crate::address::Address;
    use crate::exchange::{Exchange, Method, exchange};

    /// Redirects that are followed, each with a request of its own, as far as the grants cover it.
    const REDIRECTS: u32 = 5;

    arguments! {
        struct Request {
            /// Such as `https://example.org/page?q=1`.
            url: String,
            /// GET if left out.
            method: Option<Verb>,
            /// Header lines such as `Accept: application/json`.
            headers: Option<Vec<String>>,
            /// What to send.
            body: Option<String>,
        }

        enum Verb { Get, Head, Post, Put, Patch, Delete }
    }

    struct Http;

    impl Tool for Http {
        const NAME: &str = "http";
        const DESCRIPTION: &str = "Makes an HTTP request and gives back the text of the response.";
        type Arguments = Request;

        fn call(request: Request) -> Result<String, CallError> {
            let mut wanted = Exchange {
                address: Address::parse(&request.url).map_err(CallError::InvalidArguments)?,
                method: match request.method {
                    None | Some(Verb::Get) => Method::Get,
                    Some(Verb::Head) => Method::Head,
                    Some(Verb::Post) => Method::Post,
                    Some(Verb::Put) => Method::Put,
                    Some(Verb::Patch) => Method::Patch,
                    Some(Verb::Delete) => Method::Delete,
                },
                headers: headers(&request.headers.unwrap_or_default())?,
                body: request.body.unwrap_or_default(),
            };
            for _ in 0..=REDIRECTS {
                let response = exchange(&wanted).map_err(CallError::Failed)?;
                let Some(place) = response.location else {
                    let text =
                        format!("{} {}\n\n{}", response.status, wanted.address, response.text);
                    return if response.status < 400 {
                        Ok(text)
                    } else {
                        Err(CallError::Failed(text))
                    };
                };
                let next = wanted.address.join(&place).map_err(CallError::Failed)?;
                // What was meant for one host is not for another.
                if next.authority != wanted.address.authority {
                    wanted.headers.clear();
                }
                // As browsers do; 307 and 308 ask for the same request again.
                if matches!(response.status, 301..=303) && !matches!(wanted.method, Method::Head) {
                    wanted.method = Method::Get;
                    wanted.body.clear();
                }
                wanted.address = next;
            }
            Err(CallError::Failed(format!("more than {REDIRECTS} redirects")))
        }
    }

    tool!(Http);

    fn headers(lines: &[String]) -> Result<Vec<(String, Vec<u8>)>, CallError> {
        let headers = lines.iter().map(|line| {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| CallError::invalid(format!("`{line}` is no `Name: value`")))?;
            Ok((name.trim().to_ascii_lowercase(), value.trim().into()))
        });
        headers.collect()
    }
}
