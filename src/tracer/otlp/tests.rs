use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::*;
use crate::clock::SystemClock;
use crate::tracer::{Kind, Tracer, TracerOptions};

/// A receiver that gives these answers (whole responses) in turn and passes on what it got.
fn receiver(answers: Vec<String>) -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, got) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let Ok((stream, _)) = listener.accept() else {
                return;
            };
            let mut stream = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&lower);
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            let _ = sender.send((head, body));
        }
    });
    (url, got)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn tracer(options: serde_json::Value) -> Tracer {
    let exporter = OtlpExporter::new(serde_json::from_value(options).unwrap()).unwrap();
    Tracer::new(TracerOptions::new("svc", Box::new(exporter)), SystemClock::shared()).unwrap()
}

const LONG: Duration = Duration::from_mins(1);

#[test]
fn json_is_sent_with_gzip_and_a_partial_success_is_counted() {
    let (url, got) = receiver(vec![answer(
        "200 OK",
        "",
        r#"{"partialSuccess":{"rejectedSpans":"1"}}"#,
    )]);
    let tracer = tracer(serde_json::json!({
        "url": url, "protocol": "http/json", "compression": "gzip", "headers": { "x-key": "k" }
    }));
    let mut span = tracer.start("a \"quoted\" \u{1} näme", Kind::Client, None);
    span.set("f", f64::NAN);
    span.set("n", -3_i64);
    span.end();
    tracer.start("b", Kind::Internal, None).end();
    assert!(tracer.shutdown(LONG));
    let (head, body) = got.recv_timeout(LONG).unwrap();
    assert!(
        head.starts_with("post /v1/traces ") && head.contains("content-encoding: gzip") && head.contains("x-key: k")
    );
    let mut text = String::new();
    flate2::read::GzDecoder::new(&body[..])
        .read_to_string(&mut text)
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let spans = &json["resourceSpans"][0]["scopeSpans"][0]["spans"];
    assert_eq!(spans[0]["name"], "a \"quoted\" \u{1} näme");
    assert_eq!(spans[0]["kind"], 3);
    assert_eq!(spans[0]["attributes"][1]["value"]["intValue"], "-3");
    assert_eq!(spans.as_array().unwrap().len(), 2);
    let metrics = tracer.metrics();
    assert_eq!((metrics.exported, metrics.failed), (1, 1));
}

#[test]
fn a_busy_receiver_gets_the_spans_again_when_it_asked_for_them() {
    let (url, got) = receiver(vec![
        answer("503 Service Unavailable", "retry-after: 1\r\n", ""),
        answer("429 Too Many Requests", "", ""),
        answer("200 OK", "", ""),
    ]);
    let tracer = tracer(serde_json::json!({ "url": url }));
    let started = Instant::now();
    tracer.start("x", Kind::Internal, None).end();
    assert!(tracer.flush(LONG));
    assert!(started.elapsed() >= Duration::from_millis(1_300));
    assert_eq!(got.try_iter().count(), 3);
    assert_eq!((tracer.metrics().exported, tracer.metrics().failed), (1, 0));
}

#[test]
fn a_receiver_that_refuses_or_is_not_there_is_counted_and_ends_in_time() {
    let (url, _got) = receiver(vec![answer("400 Bad Request", "", "no")]);
    let refused = tracer(serde_json::json!({ "url": url }));
    refused.start("x", Kind::Internal, None).end();
    assert!(refused.flush(LONG));
    assert_eq!(refused.metrics().failed, 1);
    assert!(refused.metrics().last_error.unwrap().contains("400"));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let tracer = tracer(serde_json::json!({ "url": gone }));
    tracer.start("x", Kind::Internal, None).end();
    let started = Instant::now();
    tracer.shutdown(Duration::from_millis(300));
    assert!(started.elapsed() < Duration::from_secs(8));
    let deadline = Instant::now() + LONG;
    while tracer.metrics().failed == 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((tracer.metrics().exported, tracer.metrics().failed), (0, 1));
}

#[test]
fn wrong_addresses_and_headers_are_refused() {
    for url in ["", "localhost:4318", "ftp://x/", "http://", "http:///v1", "http://a b/"] {
        let options = serde_json::from_value(serde_json::json!({ "url": url })).unwrap();
        let error = OtlpExporter::new(options).err().unwrap();
        assert_eq!(error.code(), Code::OptionInvalid, "{url}");
    }
    let options =
        serde_json::from_value(serde_json::json!({ "url": "http://x", "headers": { "a": "b\r\nc: d" } })).unwrap();
    assert!(OtlpExporter::new(options).is_err());
    assert_eq!(address("http://x:4318/").unwrap(), "http://x:4318/v1/traces");
    assert_eq!(
        address("https://x/otlp/v1/traces?k=1").unwrap(),
        "https://x/otlp/v1/traces?k=1"
    );
}

#[test]
fn the_answer_in_protobuf_is_read_and_a_broken_one_is_not() {
    assert_eq!(protobuf::rejected(&[10, 6, 8, 7, 18, 2, b'n', b'o']), 7);
    assert_eq!(protobuf::rejected(&[]), 0);
    for broken in [&[10, 200, 1][..], &[10], &[255; 12], &[11, 0], &[10, 2, 8]] {
        assert_eq!(protobuf::rejected(broken), 0);
    }
}
