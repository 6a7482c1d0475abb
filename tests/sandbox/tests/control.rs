//! The program and its control API, from outside.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running `walinkd-sandbox`, ended when dropped.
struct Program {
    child: Child,
    url: String,
    control: String,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_walinkd-sandbox"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("it says where it is");
        let ready: Value = serde_json::from_str(&line).expect("a line of JSON");
        let text = |key: &str| ready[key].as_str().expect("a URL").to_owned();
        Self {
            url: text("url"),
            control: text("control"),
            child,
        }
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let host = self.control.strip_prefix("http://").expect("plain HTTP");
        let mut stream = TcpStream::connect(host).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a socket");
        let body = body.map(Value::to_string).unwrap_or_default();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status");
        (status, serde_json::from_str(body).expect("JSON"))
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, None)
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.call("POST", path, Some(body))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().expect("it is ours to end");
        self.child.wait().expect("it ends");
    }
}

#[test]
fn phones_are_added_and_shown() {
    let program = Program::start(&["--phone", "628123456789"]);
    assert!(program.url.starts_with("ws://127.0.0.1:") && program.url.ends_with("/ws/chat"));
    let (status, phone) = program.get("/phones/628123456789");
    assert_eq!((status, &phone["devices"]), (200, &json!([])));
    let new = json!({ "number": "4915112345678", "push_name": "Anna" });
    let (status, phone) = program.post("/phones", &new);
    assert_eq!((status, &phone["push_name"]), (200, &json!("Anna")));
    let (_, phones) = program.get("/phones");
    assert_eq!(phones.as_object().map(serde_json::Map::len), Some(2));

    assert_eq!(program.post("/phones", &json!({ "number": "+49" })).0, 400);
    assert_eq!(program.get("/phones/1").0, 404);
    assert_eq!(program.get("/nowhere").0, 404);
    assert_eq!(program.call("DELETE", "/stats", None).0, 405);
}

#[test]
fn a_phone_says_why_it_does_not_link() {
    let program = Program::start(&["--phone", "628123456789"]);
    let scan = |qr: &str| program.post("/phones/628123456789/scan", &json!({ "qr": qr }));
    assert_eq!(scan("hello").0, 400);
    let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let (status, problem) = scan(&format!("2@unknown,{key},{key},{key},1"));
    assert_eq!(status, 409);
    assert!(
        problem["error"]
            .as_str()
            .is_some_and(|error| error.contains("ref")),
        "{problem}"
    );
    let code = |code: &str| program.post("/phones/628123456789/code", &json!({ "code": code }));
    assert_eq!(code("short").0, 400);
    assert_eq!(code("ABCD-EFGH").0, 409);
    let (status, unlinked) = program.post("/phones/628123456789/unlink", &json!({}));
    assert_eq!((status, unlinked), (200, json!({ "unlinked": 0 })));
    let (status, unlinked) = program.call("POST", "/phones/628123456789/unlink", None);
    assert_eq!((status, unlinked), (200, json!({ "unlinked": 0 })));
}

#[test]
fn faults_are_armed_listed_and_cleared() {
    let program = Program::start(&[]);
    let (status, injected) = program.post(
        "/faults",
        &json!({ "fault": { "kind": "no_refs" }, "target": { "next": 2 } }),
    );
    assert_eq!((status, injected), (200, json!({ "hit": 0, "armed": 1 })));
    let (_, faults) = program.get("/faults");
    assert_eq!(faults[0]["fault"], json!({ "kind": "no_refs" }));
    assert_eq!(faults[0]["remaining"], json!(2));
    let early = json!({
        "fault": { "kind": "drop", "at": "tcp" },
        "target": { "device": "628123456789:1@s.whatsapp.net" },
    });
    assert_eq!(program.post("/faults", &early).0, 400);
    assert_eq!(
        program
            .post("/faults", &json!({ "fault": { "kind": "gremlins" } }))
            .0,
        422
    );
    assert_eq!(program.call("DELETE", "/faults", None).0, 200);
    assert_eq!(program.get("/faults").1, json!([]));
}

#[test]
fn the_port_is_closed_and_opened() {
    let program = Program::start(&[]);
    let address = program
        .url
        .strip_prefix("ws://")
        .and_then(|url| url.strip_suffix("/ws/chat"))
        .expect("an address");
    assert_eq!(program.post("/refuse", &json!({})).0, 200);
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(program.get("/state").1["accepting"], json!(false));
    assert_eq!(program.post("/accept", &json!({})).0, 200);
    assert!(TcpStream::connect(address).is_ok());
    assert_eq!(program.post("/rotate", &json!({})).0, 200);
}

#[test]
fn a_passkey_is_demanded_answered_and_waived() {
    let program = Program::start(&["--phone", "628123456789", "--passkey"]);
    let path = "/phones/628123456789/passkey";
    assert_eq!(program.get(path).0, 404);
    let (status, demand) = program.post(
        path,
        &json!({ "rp_id": "localhost", "origin": "http://localhost:8080", "timeout_ms": 5000 }),
    );
    assert_eq!(status, 200);
    assert_eq!(
        demand,
        json!({
            "required": true,
            "rp_id": "localhost",
            "origin": "http://localhost:8080",
            "timeout_ms": 5000,
            "options_by_query": false,
        })
    );
    let ask = json!({ "publicKey": { "challenge": "AAEC", "rpId": "localhost" } });
    let (status, credential) = program.post(&format!("{path}/answer"), &ask);
    assert_eq!((status, &credential["type"]), (200, &json!("public-key")));
    assert_eq!(credential["id"], credential["rawId"]);
    for part in ["clientDataJSON", "authenticatorData", "signature"] {
        assert!(credential["response"][part].is_string(), "{part}");
    }
    for (id, key) in [("AAEC", "AAEC"), ("=", "AAEC"), ("AAEC", "+")] {
        let elsewhere = json!({ "credential": { "id": id, "public_key": key } });
        assert_eq!(program.post(path, &elsewhere).0, 400, "{id} {key}");
    }
    assert_eq!(
        program.post(&format!("{path}/cancel"), &json!({})),
        (200, json!({ "cancelled": false }))
    );
    assert_eq!(
        program.call("DELETE", path, None),
        (200, json!({ "required": false }))
    );
    assert_eq!(program.post("/phones/1/passkey", &json!({})).0, 404);
}
