//! The codecs of a record batch: gzip, snappy, lz4 and zstd, all in Rust.
//!
//! What Java clients write is what is read and written: snappy comes in xerial's framing (blocks with a length each) or
//! raw, lz4 as frames of independent blocks, zstd as one frame without a content size.
use std::io::{Read, Write};

use bytes::Bytes;

/// The most that one batch may hold once decompressed; a batch that claims more is refused.
pub const DECOMPRESSED_BYTES_MAX: usize = 256 << 20;

/// What opens a snappy stream in xerial's framing; two version numbers of four bytes each follow.
const XERIAL_MAGIC: &[u8; 8] = b"\x82SNAPPY\x00";
const XERIAL_HEADER_BYTES: usize = 16;
const XERIAL_BLOCK_BYTES: usize = 64 << 10;

/// How the records of a batch are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// gzip.
    Gzip,
    /// Snappy, in xerial's framing.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// Why a batch could not be compressed or decompressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompressionError {
    /// The bytes are not what the codec writes.
    #[error("the batch is not {codec} data: {cause}")]
    Corrupt {
        /// The codec that the batch names.
        codec: Compression,
        /// What the codec says.
        cause: String,
    },
    /// The batch would take more than [`DECOMPRESSED_BYTES_MAX`] bytes.
    #[error("the {codec} batch holds more than {DECOMPRESSED_BYTES_MAX} bytes of records")]
    TooLarge {
        /// The codec that the batch names.
        codec: Compression,
    },
    /// A producer used a codec that this version does not know.
    #[error("the batch is compressed with codec {0}, expected one of 0 to 4")]
    Unknown(u8),
}

impl Compression {
    /// All codecs, in the order of their ids.
    pub const ALL: [Compression; 5] = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];

    /// Finds the codec by the low three bits of a batch's attributes.
    pub fn from_id(id: u8) -> Result<Self, CompressionError> {
        Self::ALL.get(usize::from(id)).copied().ok_or(CompressionError::Unknown(id))
    }

    /// The id of the codec in a batch's attributes.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// Finds the codec by its name in `compression.type`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name() == name)
    }

    /// The name of the codec in `compression.type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// Compresses the records of a batch.
    pub fn compress(self, plain: &[u8]) -> Result<Vec<u8>, CompressionError> {
        match self {
            Self::None => Ok(plain.to_vec()),
            Self::Gzip => gzip(plain).map_err(|error| self.corrupt(&error)),
            Self::Snappy => snappy(plain).map_err(|error| self.corrupt(&error)),
            Self::Lz4 => lz4(plain).map_err(|error| self.corrupt(&error)),
            Self::Zstd => {
                use ruzstd::encoding::{CompressionLevel, compress_to_vec};
                Ok(compress_to_vec(plain, CompressionLevel::Fastest))
            }
        }
    }

    /// Decompresses the records of a batch; uncompressed ones are shared, not copied.
    pub fn decompress(self, packed: &Bytes) -> Result<Bytes, CompressionError> {
        match self {
            Self::None => Ok(packed.clone()),
            Self::Gzip => {
                self.read_all(flate2::bufread::MultiGzDecoder::new(&packed[..]), packed.len())
            }
            Self::Snappy => self.unsnappy(packed),
            Self::Lz4 => {
                self.read_all(lz4_flex::frame::FrameDecoder::new(&packed[..]), packed.len())
            }
            Self::Zstd => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(&packed[..]);
                self.read_all(decoder.map_err(|error| self.corrupt(&error))?, packed.len())
            }
        }
    }

    fn read_all(self, reader: impl Read, packed_bytes: usize) -> Result<Bytes, CompressionError> {
        let mut plain =
            Vec::with_capacity(packed_bytes.saturating_mul(4).min(DECOMPRESSED_BYTES_MAX));
        let limit = DECOMPRESSED_BYTES_MAX as u64 + 1;
        reader.take(limit).read_to_end(&mut plain).map_err(|error| self.corrupt(&error))?;
        if plain.len() > DECOMPRESSED_BYTES_MAX {
            return Err(CompressionError::TooLarge { codec: self });
        }
        Ok(plain.into())
    }

    fn unsnappy(self, packed: &[u8]) -> Result<Bytes, CompressionError> {
        let mut plain = Vec::new();
        if packed.len() < XERIAL_HEADER_BYTES || !packed.starts_with(XERIAL_MAGIC) {
            self.unsnappy_block(packed, &mut plain)?;
            return Ok(plain.into());
        }
        let mut rest = &packed[XERIAL_HEADER_BYTES..];
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            let Some((block, after)) = after.split_at_checked(length) else {
                return Err(self.corrupt(&format!("a block of {length} bytes is cut off")));
            };
            self.unsnappy_block(block, &mut plain)?;
            rest = after;
        }
        if rest.is_empty() {
            Ok(plain.into())
        } else {
            Err(self.corrupt(&"a block's length is cut off"))
        }
    }

    fn unsnappy_block(self, block: &[u8], plain: &mut Vec<u8>) -> Result<(), CompressionError> {
        let length = snap::raw::decompress_len(block).map_err(|error| self.corrupt(&error))?;
        let start = plain.len();
        if start.saturating_add(length) > DECOMPRESSED_BYTES_MAX {
            return Err(CompressionError::TooLarge { codec: self });
        }
        plain.resize(start + length, 0);
        let written = snap::raw::Decoder::new().decompress(block, &mut plain[start..]);
        plain.truncate(start + written.map_err(|error| self.corrupt(&error))?);
        Ok(())
    }

    fn corrupt(self, cause: &impl ToString) -> CompressionError {
        CompressionError::Corrupt { codec: self, cause: cause.to_string() }
    }
}

impl std::fmt::Display for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain)?;
    encoder.finish()
}

fn snappy(plain: &[u8]) -> Result<Vec<u8>, snap::Error> {
    let mut packed = Vec::with_capacity(XERIAL_HEADER_BYTES + plain.len() / 2);
    packed.extend_from_slice(XERIAL_MAGIC);
    packed.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
    let mut encoder = snap::raw::Encoder::new();
    for block in plain.chunks(XERIAL_BLOCK_BYTES) {
        let block = encoder.compress_vec(block)?;
        packed.extend_from_slice(&(block.len() as u32).to_be_bytes());
        packed.extend_from_slice(&block);
    }
    Ok(packed)
}

fn lz4(plain: &[u8]) -> Result<Vec<u8>, lz4_flex::frame::Error> {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    // Java's reader refuses blocks that depend on each other.
    let info = FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(plain)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(plain: &[u8]) {
        for codec in Compression::ALL {
            let packed = Bytes::from(codec.compress(plain).unwrap());
            assert_eq!(codec.decompress(&packed).unwrap(), plain, "{codec}");
        }
    }

    #[test]
    fn every_codec_gives_back_what_it_took() {
        round_trip(b"");
        round_trip(&b"reading ".repeat(50_000));
    }

    #[test]
    fn raw_snappy_is_read_too() {
        let raw = snap::raw::Encoder::new().compress_vec(b"from librdkafka").unwrap();
        assert_eq!(Compression::Snappy.decompress(&raw.into()).unwrap(), &b"from librdkafka"[..]);
    }

    #[test]
    fn ids_and_names_lead_back() {
        for codec in Compression::ALL {
            assert_eq!(Compression::from_id(codec.id()), Ok(codec));
            assert_eq!(Compression::from_name(codec.name()), Some(codec));
        }
        assert_eq!(Compression::from_id(5), Err(CompressionError::Unknown(5)));
    }

    proptest! {
        #[test]
        fn foreign_bytes_are_refused_and_never_panic(bytes: Vec<u8>, codec in 0u8..5) {
            let _ = Compression::from_id(codec).unwrap().decompress(&bytes.into());
        }

        #[test]
        fn any_bytes_survive(bytes: Vec<u8>) {
            round_trip(&bytes);
        }
    }
}
