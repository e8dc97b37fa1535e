//! The ports of the demo: those that people expect, or the next ones that are free.

use std::net::{Ipv4Addr, TcpListener};

/// How many ports are tried.
const TRIES: u16 = 100;

/// The port that the command line gives, else `usual`, or where that is taken the next one that is free, which is said.
pub(super) fn chosen(given: Option<u16>, usual: u16, flag: &str) -> u16 {
    if let Some(port) = given {
        return port;
    }
    let port = (usual..usual.saturating_add(TRIES)).find(|port| is_free(*port)).unwrap_or(0);
    if port != usual {
        let instead = if port == 0 { "any that is free".to_owned() } else { port.to_string() };
        eprintln!("Port {usual} is taken: {flag} is {instead}.");
    }
    port
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_passed_over_unless_it_is_asked_for() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert_eq!(chosen(Some(port), 1, "--port"), port);
        let other = chosen(None, port, "--port");
        assert!(other > port || other == 0, "{other}");
    }
}
