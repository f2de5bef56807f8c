//! CRC-32 (IEEE 802.3) and the CRC of BinHex 4.

/// CRC-32 of the bytes, going on from `start`.
pub fn crc32(data: &[u8], start: u32) -> u32 {
    // SAFETY: the data is as long as told.
    unsafe { libz_rs_sys::crc32_z(start.into(), data.as_ptr(), data.len()) as u32 }
}

/// CRC-CCITT with polynomial 0x1021, highest bit first.
pub fn crc_hqx(data: &[u8], start: u16) -> u16 {
    data.iter().fold(start, |crc, &byte| {
        (0..8).fold(
            crc ^ u16::from(byte) << 8,
            |crc, _| {
                if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 }
            },
        )
    })
}
