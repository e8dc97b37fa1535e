//! A text that a state keeps.

/// How many bytes of text lie in the state itself.
const SHORT_MAX: usize = 22;

/// A text in 24 bytes: a short one lies there, so that states with one come and go without memory of their own.
#[derive(Clone, PartialEq)]
pub struct KeptText(Kept);

#[derive(Clone, PartialEq)]
enum Kept {
    Short { len: u8, bytes: [u8; SHORT_MAX] },
    Long(Box<str>),
}

impl KeptText {
    /// The text with these bytes, which [`Self::as_bytes`] gave; an empty one for bytes that are no text.
    #[inline]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::short(bytes)
            .unwrap_or_else(|| Self::from(std::str::from_utf8(bytes).unwrap_or_default()))
    }

    #[inline]
    fn short(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; SHORT_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self(Kept::Short { len: text.len() as u8, bytes }))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // These bytes were a text.
            Kept::Short { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Kept::Long(text) => text,
        }
    }

    /// Its bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Kept::Long(text) => text.as_bytes(),
        }
    }
}

impl From<&str> for KeptText {
    #[inline]
    fn from(text: &str) -> Self {
        Self::short(text.as_bytes()).unwrap_or_else(|| Self(Kept::Long(text.into())))
    }
}

impl std::fmt::Debug for KeptText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length() {
        assert_eq!(std::mem::size_of::<KeptText>(), 24);
        for len in 0..64 {
            let text: String = "é😀a".chars().cycle().take(len).collect();
            let kept = KeptText::from(&*text);
            assert_eq!((kept.as_str(), kept.as_bytes()), (&*text, text.as_bytes()));
            assert_eq!(kept, KeptText::of_bytes(kept.as_bytes()));
            assert_ne!(kept, KeptText::from(&*format!("{text}b")));
        }
    }
}
