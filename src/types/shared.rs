//! Values that several may hold at once.

use std::ops::Deref;
use std::rc::Rc;

/// A vector of which clones share the values.
///
/// The columns of a batch go to every query that reads it, and on through operators that leave them
/// as they are: none of that copies a value.
///
/// One without values takes no memory. Loops over values take the slice first, which is two steps
/// away.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared<T>(Option<Rc<Vec<T>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        self.0.as_ref().map_or(&[], |values| values)
    }
}

impl<T> From<Vec<T>> for Shared<T> {
    fn from(values: Vec<T>) -> Self {
        Self((!values.is_empty()).then(|| Rc::new(values)))
    }
}

impl<T> FromIterator<T> for Shared<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::from(Vec::from_iter(values))
    }
}

impl<T: Clone> Shared<T> {
    /// The values, to be changed; copied first if others hold them too.
    pub fn make_mut(&mut self) -> &mut Vec<T> {
        Rc::make_mut(self.0.get_or_insert_default())
    }
}
