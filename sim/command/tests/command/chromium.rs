//! A headless Chromium that acts like a reader, driven with the DevTools protocol over a pair of
//! pipes.

use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long Chromium may take for anything; a machine may have much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page; it goes with the value.
pub struct Chromium {
    process: Child,
    commands: File,
    messages: Receiver<Value>,
    last: u64,
    session: Option<String>,
    complaints: Vec<String>,
    /// Its pipes and its profile; it goes last.
    _folder: TempDir,
}

/// The program, by the variable `DHTLAB_CHROMIUM` or one of the names that it has.
fn program() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("DHTLAB_CHROMIUM") {
        return Some(given.into());
    }
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let path = std::env::var_os("PATH")?;
    let candidates =
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

impl Chromium {
    /// Starts it with a page of this size.
    pub fn start(width: u32, height: u32) -> Self {
        let program = program().expect("a Chromium here, or one that DHTLAB_CHROMIUM names");
        let folder = TempDir::new().expect("a temporary folder");
        let pipe = |name: &str| {
            let path = folder.path().join(name);
            let made = Command::new("mkfifo").arg(&path).status();
            assert!(made.expect("mkfifo runs").success());
            path
        };
        let (commands, messages) = (pipe("commands"), pipe("messages"));
        // Chromium reads commands from its descriptor 3 and writes messages to 4.
        let script = "exec \"$0\" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
                      --no-first-run --remote-debugging-pipe \"--user-data-dir=$3\" about:blank \
                      3<\"$1\" 4>\"$2\"";
        let process = Command::new("sh")
            .arg("-c")
            .arg(script)
            .arg(program)
            .args([&commands, &messages, &folder.path().join("profile")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let commands = OpenOptions::new().write(true).open(commands);
        let mut reader = BufReader::new(File::open(messages).expect("a pipe"));
        let (tell, hear) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while reader
                .read_until(0, &mut message)
                .is_ok_and(|read| read > 0)
            {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else {
                    break;
                };
                if tell.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let mut browser = Self {
            process,
            commands: commands.expect("a pipe"),
            messages: hear,
            last: 0,
            session: None,
            complaints: Vec::new(),
            _folder: folder,
        };
        let targets = browser.command("Target.getTargets", &json!({}));
        let targets = targets["targetInfos"].as_array().expect("targets").clone();
        let page = targets.iter().find(|target| target["type"] == "page");
        let page = &page.expect("a page")["targetId"];
        let attached = browser.command(
            "Target.attachToTarget",
            &json!({"targetId": page, "flatten": true}),
        );
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Runtime", "Log", "Page"] {
            browser.command(&format!("{domain}.enable"), &json!({}));
        }
        browser.resize(width, height);
        browser
    }

    /// Gives the page another size.
    pub fn resize(&mut self, width: u32, height: u32) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Carries out a command of the protocol.
    fn command(&mut self, method: &str, parameters: &Value) -> Value {
        self.last += 1;
        let number = self.last;
        let mut command = json!({"id": number, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        let text = format!("{command}\0");
        self.commands
            .write_all(text.as_bytes())
            .expect("Chromium reads");
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let message = message.unwrap_or_else(|why| panic!("{method}: no answer: {why}"));
            if message["id"] == number {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.listen(&message);
        }
    }

    /// Keeps what the console would show in red or yellow.
    fn listen(&mut self, message: &Value) {
        let content = &message["params"];
        let bad = match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => ["error", "warning", "assert"]
                .map(Value::from)
                .contains(&content["type"]),
            Some("Log.entryAdded") => ["error", "warning"]
                .map(Value::from)
                .contains(&content["entry"]["level"]),
            _ => false,
        };
        if bad {
            self.complaints.push(content.to_string());
        }
    }

    /// What the console has shown in red or yellow since the browser was started.
    pub fn complaints(&mut self) -> &[String] {
        // Errors that were thrown before this is answered have been reported.
        self.evaluate("0");
        &self.complaints
    }

    /// Opens a file, and waits until it is there.
    pub fn open(&mut self, file: &Path) {
        let url = format!("file://{}", file.display());
        let opened = self.command("Page.navigate", &json!({"url": url}));
        assert!(opened["errorText"].is_null(), "{opened}");
        self.wait_for(&format!(
            "document.readyState === 'complete' && location.href === {}",
            Value::from(url)
        ));
    }

    /// The value of an expression in the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.command("Runtime.evaluate", &parameters);
        let thrown = &result["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {thrown}");
        result["result"]["value"].clone()
    }

    /// Waits until an expression in the page is true.
    pub fn wait_for(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.evaluate(expression) != true {
            assert!(begun.elapsed() < PATIENCE, "never true: {expression}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Clicks on the middle of the element that `selector` finds.
    pub fn click(&mut self, selector: &str) {
        let place = self.evaluate(&format!(
            "(() => {{ const element = document.querySelector({}); \
             element.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const box = element.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            Value::from(selector)
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.command("Input.dispatchMouseEvent", &event);
        }
    }

    /// Presses a key, named as the browser names it.
    pub fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key});
            if kind == "keyDown" && key.chars().count() == 1 {
                event["text"] = key.into();
            }
            self.command("Input.dispatchKeyEvent", &event);
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Asked first, so that no process of it stays behind; then made to.
        let _ = self
            .commands
            .write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
