//! Which statement is which query: statements of a file against what a service has run before.
//!
//! The offsets of a query carry the fingerprint of its plan, and its group and its topics carry its
//! id. So a statement finds its query again although others come before it now, and one that has
//! changed since is told, not taken for another.

use std::collections::BTreeSet;

use super::QueryKind;

/// A statement that makes a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The id that it would have if nothing had run before.
    pub id: String,
    /// What kind of statement it is.
    pub kind: QueryKind,
    /// The stream or table that it writes into.
    pub sink: String,
    /// The fingerprint of its plan.
    pub fingerprint: String,
}

/// A query that a service has run, as its group says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// The fingerprint beside its offsets; ksqlDB writes none.
    pub fingerprint: Option<String>,
    /// The stream or table that it wrote into, where that is known.
    pub sink: Option<String>,
}

/// What a statement's query does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on under this id, where it stopped.
    Kept,
    /// The same, though its statement stands elsewhere in the file now.
    Renumbered,
    /// The same, from offsets that do not say of which plan they are.
    TakenOver,
    /// It begins.
    New,
    /// It was another one when it last ran, so that its state and its offsets are not its own.
    Changed,
    /// It has state, but no offsets that say to what the state belongs: it stops.
    OffsetsLost,
}

/// What new queries leave alone, besides groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The ids of queries that have written changelogs.
    pub state: BTreeSet<String>,
    /// The numbers of statements that make no query.
    pub numbers: BTreeSet<i64>,
}

/// Which queries the statements are, and which have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// For each statement the id of its query, and what the query does.
    pub queries: Vec<(String, Fate)>,
    /// The ids of queries that no statement makes any more.
    pub gone: Vec<String>,
}

/// Matches statements, in the order of their file, with what a service has run.
pub fn identify(wanted: &[Wanted], found: &[Found], taken: &Taken) -> Identity {
    let mut matching = Matching {
        wanted,
        found,
        fates: vec![None; wanted.len()],
        left: (0..found.len()).collect(),
    };
    matching.by_given_id();
    matching.by_fingerprint();
    matching.by_position();
    matching.changed();
    matching.with_state_alone(&taken.state);
    let queries = matching.with_new(taken);
    let gone = matching.left.iter().map(|group| found[*group].id.clone()).collect();
    Identity { queries, gone }
}

/// The parts of an id: `CTAS_COUNTS` and 0. One that was given with `QUERY_ID` has no number.
fn parts(id: &str) -> (&str, Option<i64>) {
    const NUMBERED: [&str; 4] = ["CSAS_", "CTAS_", "INSERTQUERY_", "CST_"];
    let is_numbered = NUMBERED.iter().any(|prefix| id.starts_with(prefix));
    match id.rsplit_once('_').map(|(prefix, number)| (prefix, number.parse())) {
        Some((prefix, Ok(number))) if is_numbered => (prefix, Some(number)),
        _ => (id, None),
    }
}

/// The number in a query's id, if it has one that was not given.
pub fn query_number(id: &str) -> Option<i64> {
    parts(id).1
}

struct Matching<'m> {
    wanted: &'m [Wanted],
    found: &'m [Found],
    fates: Vec<Option<(String, Fate)>>,
    /// The groups that no statement has yet, by their places.
    left: BTreeSet<usize>,
}

impl Matching<'_> {
    /// The statements without a query yet.
    fn open(&self) -> impl Iterator<Item = usize> + use<> {
        let open = self.fates.iter().enumerate().filter(|(_, fate)| fate.is_none());
        open.map(|(statement, _)| statement).collect::<Vec<_>>().into_iter()
    }

    fn settle(&mut self, statement: usize, group: usize, fate: Fate) {
        self.left.remove(&group);
        self.fates[statement] = Some((self.found[group].id.clone(), fate));
    }

    fn left(&self, is_it: impl Fn(&Found) -> bool) -> Option<usize> {
        let mut groups: Vec<_> =
            self.left.iter().copied().filter(|group| is_it(&self.found[*group])).collect();
        groups.sort_by_key(|group| query_number(&self.found[*group].id));
        groups.first().copied()
    }

    /// A statement with a `QUERY_ID` is the query of that id, whatever it does.
    fn by_given_id(&mut self) {
        for statement in self.open() {
            let wanted = &self.wanted[statement];
            if query_number(&wanted.id).is_some() {
                continue;
            }
            let Some(group) = self.left(|group| group.id == wanted.id) else { continue };
            let fate = match &self.found[group].fingerprint {
                None => Fate::TakenOver,
                Some(fingerprint) if *fingerprint == wanted.fingerprint => Fate::Kept,
                Some(_) => Fate::Changed,
            };
            self.settle(statement, group, fate);
        }
    }

    /// Other statements are the queries with their fingerprints; equal ones in order of number.
    fn by_fingerprint(&mut self) {
        for statement in self.open() {
            let wanted = &self.wanted[statement];
            let is_it = |group: &Found| {
                group.fingerprint.as_ref() == Some(&wanted.fingerprint)
                    && query_number(&group.id).is_some()
            };
            if query_number(&wanted.id).is_none() {
                continue;
            }
            let Some(group) = self.left(is_it) else { continue };
            let is_in_place = self.found[group].id == wanted.id;
            let fate = if is_in_place { Fate::Kept } else { Fate::Renumbered };
            self.settle(statement, group, fate);
        }
    }

    /// Offsets that do not say of which plan they are belong to the statement at their position.
    fn by_position(&mut self) {
        for statement in self.open() {
            let id = &self.wanted[statement].id;
            let is_it = |group: &Found| group.fingerprint.is_none() && group.id == *id;
            if let Some(group) = self.left(is_it) {
                self.settle(statement, group, Fate::TakenOver);
            }
        }
    }

    /// Queries that were others: of the same sink, or at the same position into the same target.
    fn changed(&mut self) {
        for statement in self.open() {
            let wanted = &self.wanted[statement];
            let (prefix, Some(_)) = parts(&wanted.id) else { continue };
            let group = match wanted.kind {
                QueryKind::CreateAs | QueryKind::SourceTable => self.left(|group| {
                    let (other, number) = parts(&group.id);
                    other == prefix && number.is_some()
                }),
                QueryKind::Insert => self.left(|group| {
                    query_number(&group.id) == query_number(&wanted.id)
                        && group.sink.as_ref() == Some(&wanted.sink)
                }),
            };
            if let Some(group) = group {
                self.settle(statement, group, Fate::Changed);
            }
        }
    }

    /// State without offsets is still that of the query with its sink, or with its id.
    fn with_state_alone(&mut self, state: &BTreeSet<String>) {
        for statement in self.open() {
            let wanted = &self.wanted[statement];
            let (prefix, number) = parts(&wanted.id);
            let is_it = |id: &&String| match (wanted.kind, number) {
                (QueryKind::CreateAs | QueryKind::SourceTable, Some(_)) => {
                    let (other, number) = parts(id);
                    other == prefix && number.is_some()
                }
                _ => **id == wanted.id,
            };
            let has_group = |id: &String| self.found.iter().any(|group| group.id == *id);
            if let Some(id) = state.iter().filter(is_it).find(|id| !has_group(id)) {
                self.fates[statement] = Some((id.clone(), Fate::OffsetsLost));
            }
        }
    }

    /// All queries; new ones have the number of their position if it is free, else the lowest free.
    fn with_new(&mut self, Taken { state, numbers }: &Taken) -> Vec<(String, Fate)> {
        let mut taken = numbers.clone();
        let groups = self.found.iter().map(|group| &group.id);
        taken.extend(groups.chain(state).filter_map(|id| query_number(id)));
        let mut queries = Vec::with_capacity(self.wanted.len());
        for (fate, wanted) in self.fates.iter().zip(self.wanted) {
            let new = || {
                let (prefix, Some(position)) = parts(&wanted.id) else { return wanted.id.clone() };
                let free = |number: &i64| !taken.contains(number);
                let number = Some(position).filter(free).or_else(|| (0..i64::MAX).find(free));
                format!("{prefix}_{}", number.unwrap_or(position))
            };
            let query = fate.clone().unwrap_or_else(|| (new(), Fate::New));
            taken.extend(query_number(&query.0));
            queries.push(query);
        }
        queries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `CTAS_COUNTS_0=a` is a statement or a group with the fingerprint `a`, `CTAS_COUNTS_0` one
    /// without. Behind a point stands the target of an INSERT: `INSERTQUERY_1.ALL=b`.
    fn part(text: &str) -> (String, Option<String>, Option<String>) {
        let (id, fingerprint) = match text.split_once('=') {
            Some((id, fingerprint)) => (id, Some(fingerprint.to_owned())),
            None => (text, None),
        };
        let (id, sink) = match id.split_once('.') {
            Some((id, sink)) => (id, Some(sink.to_owned())),
            None => (id, None),
        };
        (id.to_owned(), sink, fingerprint)
    }

    /// `taken` are ids with state, and numbers.
    fn told(wanted: &str, found: &str, taken: &str) -> String {
        let wanted = wanted.split_whitespace().map(|text| {
            let (id, sink, fingerprint) = part(text);
            let is_query = id.starts_with("CSAS_") || id.starts_with("CTAS_");
            let kind = if is_query { QueryKind::CreateAs } else { QueryKind::Insert };
            let sink = sink.unwrap_or_else(|| parts(&id).0[5..].to_owned());
            Wanted { id, kind, sink, fingerprint: fingerprint.unwrap_or_default() }
        });
        let found = found.split_whitespace().map(|text| {
            let (id, sink, fingerprint) = part(text);
            Found { id, fingerprint, sink }
        });
        let (wanted, found): (Vec<_>, Vec<_>) = (wanted.collect(), found.collect());
        let (numbers, state): (Vec<_>, Vec<_>) =
            taken.split_whitespace().partition(|text| text.parse::<i64>().is_ok());
        let taken = Taken {
            state: state.into_iter().map(str::to_owned).collect(),
            numbers: numbers.iter().map(|number| number.parse().unwrap()).collect(),
        };
        let identity = identify(&wanted, &found, &taken);
        let mut told: Vec<_> = identity
            .queries
            .iter()
            .map(|(id, fate)| {
                let fate = match fate {
                    Fate::Kept => "kept",
                    Fate::Renumbered => "renumbered",
                    Fate::TakenOver => "taken over",
                    Fate::New => "new",
                    Fate::Changed => "changed",
                    Fate::OffsetsLost => "stops",
                };
                format!("{id} {fate}")
            })
            .collect();
        told.extend(identity.gone.iter().map(|id| format!("{id} gone")));
        told.join(", ")
    }

    /// A story a line: what it is about, statements, groups, what else is taken, what comes of it.
    const STORIES: &str = "
        a first start | CTAS_A_0=a CSAS_B_1=b | |  | CTAS_A_0 new, CSAS_B_1 new
        a second one | CTAS_A_0=a CSAS_B_1=b | CSAS_B_1=b CTAS_A_0=a | | CTAS_A_0 kept, CSAS_B_1 kept
        one comes before the others | CSAS_C_0=c CTAS_A_1=a CSAS_B_2=b | CTAS_A_0=a CSAS_B_1=b | | CSAS_C_2 new, CTAS_A_0 renumbered, CSAS_B_1 renumbered
        the first one goes | CSAS_B_0=b | CTAS_A_0=a CSAS_B_1=b | | CSAS_B_1 renumbered, CTAS_A_0 gone
        two change places | CSAS_B_0=b CTAS_A_1=a | CTAS_A_0=a CSAS_B_1=b | | CSAS_B_1 renumbered, CTAS_A_0 renumbered
        one changes | CTAS_A_0=x CSAS_B_1=b | CTAS_A_0=a CSAS_B_1=b | | CTAS_A_0 changed, CSAS_B_1 kept
        one changes and moves | CSAS_B_0=b CTAS_A_1=x | CTAS_A_0=a CSAS_B_1=b | | CSAS_B_1 renumbered, CTAS_A_0 changed
        a sink is renamed | CTAS_Z_0=z | CTAS_A_0=a | | CTAS_Z_1 new, CTAS_A_0 gone
        a name is the beginning of another | CTAS_A_0=a CTAS_A_1_1=b | CTAS_A_1_1=b | | CTAS_A_0 new, CTAS_A_1_1 kept
        offsets of ksqlDB | CTAS_A_0=a CSAS_B_1=b | CTAS_A_0 CSAS_B_1 | | CTAS_A_0 taken over, CSAS_B_1 taken over
        offsets of ksqlDB for another position | CTAS_A_0=a | CTAS_A_7 | | CTAS_A_7 changed
        ksqlDB's, and ours after it | CTAS_A_0=a CSAS_B_1=b | CTAS_A_0 CSAS_B_1=b | | CTAS_A_0 taken over, CSAS_B_1 kept
        equal inserts keep their order | INSERTQUERY_0.T=a INSERTQUERY_1.T=a | INSERTQUERY_5.T=a INSERTQUERY_3.T=a | | INSERTQUERY_3 renumbered, INSERTQUERY_5 renumbered
        one of two equal inserts goes | INSERTQUERY_0.T=a | INSERTQUERY_0.T=a INSERTQUERY_1.T=a | | INSERTQUERY_0 kept, INSERTQUERY_1 gone
        an insert changes | INSERTQUERY_0.T=x | INSERTQUERY_0.T=a | | INSERTQUERY_0 changed
        an insert gets another target | INSERTQUERY_0.U=x | INSERTQUERY_0.T=a | | INSERTQUERY_1 new, INSERTQUERY_0 gone
        nobody knows the target of an insert | INSERTQUERY_0.T=x | INSERTQUERY_0=a | | INSERTQUERY_1 new, INSERTQUERY_0 gone
        an insert changes and moves | CTAS_A_0=a INSERTQUERY_1.T=x | INSERTQUERY_0.T=b | | CTAS_A_1 new, INSERTQUERY_2 new, INSERTQUERY_0 gone
        a query becomes an insert | INSERTQUERY_1.B=x | CSAS_B_1.B=b | | CSAS_B_1 changed
        an id that is given | MINE.T=a | MINE.T=a INSERTQUERY_0.T=a | | MINE kept, INSERTQUERY_0 gone
        another statement has the given id | MINE.T=x | MINE.T=a | | MINE changed
        a given id of ksqlDB | MINE.T=a | MINE.T | | MINE taken over
        a given id is not that of its number | INSERTQUERY_0.T=a | MINE.T=a | | INSERTQUERY_0 new, MINE gone
        offsets of two plans | CTAS_A_0=a | CTAS_A_0=a+b | | CTAS_A_0 changed
        state of another query | CTAS_A_0=a CSAS_B_1=b | | CTAS_Z_0 | CTAS_A_1 new, CSAS_B_2 new
        state without offsets | CSAS_B_0=b CTAS_A_1=a INSERTQUERY_2.T=i | | CTAS_A_0 INSERTQUERY_2 | CSAS_B_1 new, CTAS_A_0 stops, INSERTQUERY_2 stops
        state with offsets | CTAS_A_0=a | CTAS_A_0=a | CTAS_A_0 | CTAS_A_0 kept
        state of a given id | MINE.T=a | | MINE | MINE stops
        a table that takes a number | CTAS_A_0=a CSAS_B_2=b | | 1 | CTAS_A_0 new, CSAS_B_2 new
        a gap is used | CTAS_A_0=a | CSAS_B_0=b CSAS_C_2=c | | CTAS_A_1 new, CSAS_B_0 gone, CSAS_C_2 gone
        a kept one has the number of a new one | CTAS_A_0=a CSAS_B_1=b | CSAS_B_0=b | | CTAS_A_1 new, CSAS_B_0 renumbered
    ";

    #[test]
    fn statements_find_their_queries() {
        for line in STORIES.trim().lines() {
            let story: Vec<_> = line.split('|').map(str::trim).collect();
            let [about, wanted, found, taken, expected] = *story else { panic!("{line}") };
            assert_eq!(told(wanted, found, taken), expected, "{about}");
        }
    }
}
