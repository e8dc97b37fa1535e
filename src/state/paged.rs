//! A list that grows page by page, so that it is never copied and never twice as large as it needs to be.

use std::ops::{Index, IndexMut};

/// How many items a page holds, as a power of two.
const PAGE_BITS: u32 = 10;
const PAGE_ITEMS: usize = 1 << PAGE_BITS;

/// Items by their number, `0, 1, 2 …`. Only the first page grows; those behind it are full-sized from the start.
#[derive(Debug)]
pub(super) struct Paged<T> {
    pages: Vec<Vec<T>>,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { pages: Vec::new() }
    }
}

impl<T> Paged<T> {
    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        let last = self.pages.last().map_or(0, Vec::len);
        self.pages.len().saturating_sub(1) * PAGE_ITEMS + last
    }

    /// Adds an item, and gives its number.
    pub(super) fn push(&mut self, item: T) -> u32 {
        let number = self.len() as u32;
        if let Some(page) = self.pages.last_mut().filter(|page| page.len() < PAGE_ITEMS) {
            page.push(item);
            return number;
        }
        let is_first = self.pages.is_empty();
        let mut page = Vec::with_capacity(if is_first { 1 } else { PAGE_ITEMS });
        page.push(item);
        self.pages.push(page);
        number
    }
}

/// The page of an item, and its place there.
#[inline]
fn place(number: u32) -> (usize, usize) {
    ((number >> PAGE_BITS) as usize, number as usize & (PAGE_ITEMS - 1))
}

impl<T> Index<u32> for Paged<T> {
    type Output = T;

    #[inline]
    fn index(&self, number: u32) -> &T {
        let (page, at) = place(number);
        &self.pages[page][at]
    }
}

impl<T> IndexMut<u32> for Paged<T> {
    #[inline]
    fn index_mut(&mut self, number: u32) -> &mut T {
        let (page, at) = place(number);
        &mut self.pages[page][at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_keep_their_numbers_over_all_pages() {
        let mut paged = Paged::default();
        assert_eq!(paged.len(), 0);
        let count = 3 * PAGE_ITEMS as u32 + 7;
        for number in 0..count {
            assert_eq!(paged.push(u64::from(number)), number);
        }
        paged[PAGE_ITEMS as u32] = 5;
        assert_eq!((paged.len(), paged[PAGE_ITEMS as u32]), (count as usize, 5));
        assert!((0..count).all(|n| n == PAGE_ITEMS as u32 || paged[n] == u64::from(n)));
    }

    #[test]
    fn few_items_take_little_memory() {
        let mut paged = Paged::default();
        for item in 0..3 {
            paged.push(item);
        }
        assert!(paged.pages[0].capacity() <= 4);
    }
}
