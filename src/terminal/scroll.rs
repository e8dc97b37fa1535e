//! Which rows of a table are on the screen, and in which order all of them are.

use std::ops::Range;

use super::keys::Key;

/// How a table is sorted, and where it is scrolled to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scroll {
    by: usize,
    is_reversed: bool,
    /// How many rows are left out at the top.
    from: usize,
    /// How many were shown last.
    page: usize,
}

impl Scroll {
    /// Does what a key asks for, in a table of so many columns. The first column is sorted by names, which begin with the least; the
    /// others by figures, of which the greatest is looked for.
    pub fn follow(&mut self, key: Key, columns: usize) {
        let page = isize::try_from(self.page.max(1)).unwrap_or(1);
        match key {
            Key::Sort => {
                self.by = (self.by + 1) % columns.max(1);
                (self.is_reversed, self.from) = (self.by > 0, 0);
            }
            Key::Reverse => self.is_reversed = !self.is_reversed,
            Key::Rows(rows) => self.from = self.from.saturating_add_signed(rows),
            Key::Pages(pages) => {
                self.from = self.from.saturating_add_signed(pages.saturating_mul(page));
            }
            Key::First => self.from = 0,
            Key::Last => self.from = usize::MAX,
            Key::Quit | Key::Help | Key::Draw => {}
        }
    }

    /// The column by which rows are sorted.
    pub fn by(&self) -> usize {
        self.by
    }

    /// Sorts rows that are compared by the column.
    pub fn sort<T>(&self, rows: &mut [T], mut compared: impl FnMut(&T, &T) -> std::cmp::Ordering) {
        rows.sort_by(|one, other| {
            let order = compared(one, other);
            if self.is_reversed { order.reverse() } else { order }
        });
    }

    /// What marks the heading of a column: which way it is sorted, if it is.
    pub fn mark(&self, column: usize) -> &'static str {
        match (column == self.by, self.is_reversed) {
            (false, _) => "",
            (true, false) => "▲",
            (true, true) => "▼",
        }
    }

    /// The rows that are shown of `total`, where there is room for so many.
    pub fn shown(&mut self, total: usize, room: usize) -> Range<usize> {
        self.page = room.min(total);
        self.from = self.from.min(total - self.page);
        self.from..self.from + self.page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_scrolled_and_stay_within_what_there_is() {
        let mut scroll = Scroll::default();
        assert_eq!(scroll.shown(10, 3), 0..3);
        scroll.follow(Key::Pages(1), 2);
        assert_eq!(scroll.shown(10, 3), 3..6);
        scroll.follow(Key::Rows(-1), 2);
        assert_eq!(scroll.shown(10, 3), 2..5);
        scroll.follow(Key::Last, 2);
        assert_eq!(scroll.shown(10, 3), 7..10);
        scroll.follow(Key::Rows(5), 2);
        assert_eq!(scroll.shown(10, 3), 7..10);
        assert_eq!(scroll.shown(10, 40), 0..10);
        assert_eq!(scroll.shown(0, 40), 0..0);
        scroll.follow(Key::First, 2);
        assert_eq!(scroll.shown(10, 3), 0..3);
    }

    #[test]
    fn rows_are_sorted_by_one_column_after_the_other() {
        let mut scroll = Scroll::default();
        let sorted = |scroll: &Scroll| {
            let mut rows = [2, 3, 1];
            scroll.sort(&mut rows, Ord::cmp);
            rows
        };
        assert_eq!((scroll.by(), sorted(&scroll)), (0, [1, 2, 3]));
        scroll.follow(Key::Sort, 2);
        assert_eq!((scroll.by(), sorted(&scroll), scroll.mark(1)), (1, [3, 2, 1], "▼"));
        scroll.follow(Key::Reverse, 2);
        assert_eq!((sorted(&scroll), scroll.mark(1), scroll.mark(0)), ([1, 2, 3], "▲", ""));
        scroll.follow(Key::Sort, 2);
        assert_eq!(scroll.by(), 0);
    }
}
