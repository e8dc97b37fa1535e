//! The shell as a user types in it.

use std::io;

use reedline::{EditCommand, Reedline, Signal};

use super::editor::{SqlPrompt, editor, history_file};
use super::names::SharedNames;
use super::refusal::Refusal;
use super::script::unfinished;
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
    if let Some(about) = shell.about_server() {
        let about = format!("{about}\n");
        shell.printer.draw(&about)?;
    }
    shell.printer.draw(&format!("{url}, version {version}, service {service}; \\? for help\n"))?;
    let names = SharedNames::default();
    refresh(&names, shell);
    let mut editor = editor(names.clone(), history_file(), has_colors);
    loop {
        let typed = tokio::task::block_in_place(|| editor.read_line(&SqlPrompt));
        let text = match typed {
            Ok(Signal::Success(text)) => text,
            Ok(Signal::CtrlD) => return Ok(Ok(())),
            Ok(Signal::HostCommand(_)) => {
                if end_of_input(&mut editor) {
                    return Ok(Ok(()));
                }
                continue;
            }
            Ok(_) => continue,
            Err(error) => return Err(io::Error::other(error)),
        };
        if text.trim().is_empty() {
            continue;
        }
        shell.history.push(text.trim().to_owned());
        if shell.run(&text, None).await? == Flow::Quit {
            return Ok(Ok(()));
        }
        if std::mem::take(&mut shell.has_changed) {
            refresh(&names, shell);
        }
    }
}

/// What Ctrl-D does with what is typed so far, as in other shells: on an empty line it ends the shell, which is said here;
/// within a line it deletes a character; at the end of one it says what is unfinished.
fn end_of_input(editor: &mut Reedline) -> bool {
    let (typed, at) = (editor.current_buffer_contents(), editor.current_insertion_point());
    let line = typed.rsplit('\n').next().unwrap_or_default();
    if at < typed.len() {
        editor.run_edit_commands(&[EditCommand::Delete]);
        return false;
    }
    let unfinished = unfinished(typed).unwrap_or_default();
    if line.trim().is_empty() {
        if !unfinished.is_empty() {
            eprint!("\nnot run, as it has no ; at its end: {unfinished}");
        }
        eprintln!();
        return true;
    }
    eprintln!(
        "\nunfinished: {unfinished}\n; runs it, Ctrl-C drops it, Ctrl-D on a line of its own ends the shell"
    );
    false
}

/// Asks for names while the user goes on.
fn refresh(names: &SharedNames, shell: &Shell) {
    let (names, client) = (names.clone(), shell.client.clone());
    tokio::spawn(async move { names.refresh(&client).await });
}
