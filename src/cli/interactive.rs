//! The shell as a user types in it.

use std::io;

use reedline::Signal;

use super::editor::{SqlPrompt, editor, history_file};
use super::names::SharedNames;
use super::refusal::Refusal;
use super::shell::{Flow, Shell};

/// Runs what is typed until the user has enough. That there is no server is an error before the first prompt.
pub async fn interact(shell: &mut Shell, has_colors: bool) -> io::Result<Result<(), Refusal>> {
    let info = match shell.client.info().await {
        Ok(info) => info,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let said = |field: &str| info[field].as_str().unwrap_or("?").to_owned();
    let (version, service) = (said("version"), said("ksqlServiceId"));
    let url = shell.client.url().to_owned();
    shell.printer.draw(&format!("{url}, version {version}, service {service}; \\? for help\n"))?;
    let names = SharedNames::default();
    refresh(&names, shell);
    let mut editor = editor(names.clone(), history_file(), has_colors);
    loop {
        let typed = tokio::task::block_in_place(|| editor.read_line(&SqlPrompt));
        let text = match typed {
            Ok(Signal::Success(text)) => text,
            Ok(Signal::CtrlD) => return Ok(Ok(())),
            Ok(_) => continue,
            Err(error) => return Err(io::Error::other(error)),
        };
        if text.trim().is_empty() {
            continue;
        }
        shell.history.push(text.trim().to_owned());
        if shell.run(&text).await? == Flow::Quit {
            return Ok(Ok(()));
        }
        if std::mem::take(&mut shell.has_changed) {
            refresh(&names, shell);
        }
    }
}

/// Asks for names while the user goes on.
fn refresh(names: &SharedNames, shell: &Shell) {
    let (names, client) = (names.clone(), shell.client.clone());
    tokio::spawn(async move { names.refresh(&client).await });
}
