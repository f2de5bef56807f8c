//! What is where in the tables: the same lists as in `tools/gen_cjk.py`.

/// Which pairs of bytes a grid has cells for, row by row.
pub struct Geometry {
    pub first_lead: u8,
    pub last_lead: u8,
    /// Lead bytes within that are none.
    pub gap: Option<(u8, u8)>,
    pub trails: &'static [(u8, u8)],
}

const fn geometry(first_lead: u8, last_lead: u8, trails: &'static [(u8, u8)]) -> Geometry {
    Geometry { first_lead, last_lead, gap: None, trails }
}

static EUC: Geometry = geometry(0xA1, 0xFE, &[(0xA1, 0xFE)]);
static JIS: Geometry = geometry(0x21, 0x7E, &[(0x21, 0x7E)]);
static GBK: Geometry = geometry(0x81, 0xFE, &[(0x40, 0x7E), (0x80, 0xFE)]);
static BIG5: Geometry = geometry(0x81, 0xFE, &[(0x40, 0x7E), (0xA1, 0xFE)]);
static SJIS: Geometry = Geometry {
    first_lead: 0x81,
    last_lead: 0xFC,
    gap: Some((0xA0, 0xDF)),
    trails: &[(0x40, 0x7E), (0x80, 0xFC)],
};
static UHC: Geometry = geometry(0x81, 0xFE, &[(0x41, 0x5A), (0x61, 0x7A), (0x81, 0xFE)]);
static JOHAB_GRID: Geometry = geometry(0x84, 0xF9, &[(0x31, 0x7E), (0x81, 0xFE)]);

/// A table of characters by two bytes.
pub struct Grid {
    pub geometry: &'static Geometry,
    /// The grid that it repeats most of.
    pub base: Option<usize>,
}

macro_rules! grids {
    ($($name:ident = $index:literal $geometry:ident $base:expr;)*) => {
        $(#[doc = concat!("The place of ", stringify!($name), ".")] pub const $name: usize = $index;)*
        /// All grids, in the file's order.
        pub static GRIDS: [Grid; GRID_COUNT] = [$(Grid { geometry: &$geometry, base: $base }),*];
    };
}

const GRID_COUNT: usize = 26;

grids! {
    GB2312 = 0 EUC None;
    JISX0208 = 1 JIS None;
    JISX0212 = 2 JIS None;
    KSX1001 = 3 JIS None;
    JISX0213_2000_1 = 4 JIS Some(JISX0208);
    JISX0213_2000_2 = 5 JIS None;
    JISX0213_2004_1 = 6 JIS Some(JISX0213_2000_1);
    JISX0213_2004_2 = 7 JIS Some(JISX0213_2000_2);
    GB18030 = 8 GBK Some(GB2312);
    GBK_GRID = 9 GBK Some(GB18030);
    BIG5_GRID = 10 BIG5 None;
    CP950 = 11 BIG5 Some(BIG5_GRID);
    BIG5HKSCS = 12 BIG5 Some(BIG5_GRID);
    EUC_JP = 13 EUC Some(JISX0208);
    EUC_JP_3 = 14 EUC Some(JISX0212);
    EUC_JIS_2004 = 15 EUC Some(JISX0213_2004_1);
    EUC_JIS_2004_3 = 16 EUC Some(JISX0213_2004_2);
    EUC_JISX0213 = 17 EUC Some(EUC_JIS_2004);
    EUC_JISX0213_3 = 18 EUC Some(EUC_JIS_2004_3);
    SHIFT_JIS = 19 SJIS Some(JISX0208);
    CP932 = 20 SJIS Some(SHIFT_JIS);
    SHIFT_JIS_2004 = 21 SJIS Some(JISX0213_2004_1);
    SHIFT_JISX0213 = 22 SJIS Some(SHIFT_JIS_2004);
    EUC_KR = 23 EUC Some(KSX1001);
    CP949 = 24 UHC Some(EUC_KR);
    JOHAB = 25 JOHAB_GRID None;
}

/// The codecs that have exceptions in the file, in its order.
pub const EXCEPTIONS: [&str; 16] = [
    "gb2312",
    "gbk",
    "gb18030",
    "big5",
    "cp950",
    "big5hkscs",
    "shift_jis",
    "cp932",
    "euc_jp",
    "euc_jis_2004",
    "euc_jisx0213",
    "shift_jis_2004",
    "shift_jisx0213",
    "euc_kr",
    "cp949",
    "johab",
];
