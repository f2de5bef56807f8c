//! CRC-32 (IEEE 802.3) and the CRC of BinHex 4.

/// Remainders of single bytes, followed by zero to seven zero bytes: eight bytes at a time go through eight tables.
const TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0u32; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut level = 1;
    while level < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[level - 1][byte];
            tables[level][byte] = before >> 8 ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        level += 1;
    }
    tables
}

fn row(level: usize, byte: u32) -> u32 {
    TABLES.get(level).and_then(|table| table.get((byte & 0xff) as usize)).copied().unwrap_or(0)
}

/// CRC-32 of the bytes, going on from `start`.
pub fn crc32(data: &[u8], start: u32) -> u32 {
    let mut crc = !start;
    let (chunks, rest) = data.as_chunks::<8>();
    for &[a, b, c, d, e, f, g, h] in chunks {
        let low = u32::from_le_bytes([a, b, c, d]) ^ crc;
        let high = u32::from_le_bytes([e, f, g, h]);
        crc = row(7, low)
            ^ row(6, low >> 8)
            ^ row(5, low >> 16)
            ^ row(4, low >> 24)
            ^ row(3, high)
            ^ row(2, high >> 8)
            ^ row(1, high >> 16)
            ^ row(0, high >> 24);
    }
    for &byte in rest {
        crc = row(0, crc ^ u32::from(byte)) ^ crc >> 8;
    }
    !crc
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
