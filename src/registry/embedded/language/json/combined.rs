//! How lists of schemas differ (`allOf`, `anyOf`, `oneOf`): each schema of the shorter list needs one of the other to
//! itself that it gets on with.

use super::compare::Comparison;
use super::{Criterion, NodeId};

type List<'l> = (Criterion, &'l [NodeId]);

impl<'a> Comparison<'a> {
    pub(super) fn combined(&mut self, original: List<'a>, update: List<'a>) {
        let ((was, original), (is, update)) = (original, update);
        let is_single = |list: &[NodeId]| list.len() == 1;
        let may_become = match is {
            _ if was == is => true,
            Criterion::Any => true,
            Criterion::One => is_single(original),
            Criterion::All => is_single(original) && is_single(update),
        };
        if !may_become {
            return self.tell("COMBINED_TYPE_CHANGED");
        }
        match is {
            Criterion::All if original.len() < update.len() => self.tell("PRODUCT_TYPE_EXTENDED"),
            Criterion::Any | Criterion::One if original.len() > update.len() => {
                self.tell("SUM_TYPE_NARROWED");
            }
            _ => {}
        }
        if self.pairs(original, update) < original.len().min(update.len()) {
            self.tell("COMBINED_TYPE_SUBSCHEMAS_CHANGED");
        }
    }

    /// How many pairs that get on can be made at most, no schema in two of them: augmenting paths in a bipartite graph.
    fn pairs(&mut self, original: &'a [NodeId], update: &'a [NodeId]) -> usize {
        let mut gets_on = vec![Vec::new(); original.len()];
        for (from, edges) in original.iter().zip(&mut gets_on) {
            for (index, to) in update.iter().enumerate() {
                if self.gets_on(*from, *to) {
                    edges.push(index);
                }
            }
        }
        let mut taken = vec![None; update.len()];
        (0..original.len())
            .filter(|from| augment(*from, &gets_on, &mut taken, &mut vec![false; update.len()]))
            .count()
    }
}

/// Finds a place for `from`, moving others if need be. The stack of those to be moved is kept by hand, for lists may be long.
fn augment(
    from: usize,
    gets_on: &[Vec<usize>],
    taken: &mut [Option<usize>],
    seen: &mut [bool],
) -> bool {
    // Each entry: who looks for a place, and how many of its places were tried.
    let mut looking = vec![(from, 0)];
    while let Some((who, tried)) = looking.last_mut() {
        let Some(place) = gets_on[*who].get(*tried).copied() else {
            looking.pop();
            continue;
        };
        *tried += 1;
        if std::mem::replace(&mut seen[place], true) {
            continue;
        }
        if let Some(other) = taken[place] {
            looking.push((other, 0));
        } else {
            // All who look take the place that they tried last.
            for (who, tried) in &looking {
                taken[gets_on[*who][tried - 1]] = Some(*who);
            }
            return true;
        }
    }
    false
}
