//! All CJK codecs, and how modules hand them out.

use std::sync::OnceLock;

use taipan_vm::prelude::*;

use super::codec::{Codec, Kind};
use super::iso2022;
use super::layout as grids;
use super::objects::MultibyteCodec;
use super::stateless::{Extra, Singles, Stateless};

macro_rules! stateless {
    ($($name:ident $module:literal $grid:expr, $singles:expr, $extra:expr;)*) => {
        mod tables_of {
            use super::*;
            $(#[allow(non_upper_case_globals, reason = "named as the codec is")]
            pub static $name: Stateless = Stateless {
                name: stringify!($name),
                grid: $grid,
                singles: $singles,
                extra: $extra,
                map: OnceLock::new(),
            };)*
        }
        static STATELESS: &[Codec] = &[$(Codec {
            name: stringify!($name),
            module: $module,
            kind: Kind::Stateless(&tables_of::$name),
        }),*];
    };
}

stateless! {
    gb2312 "_codecs_cn" grids::GB2312, Singles::None, Extra::None;
    gbk "_codecs_cn" grids::GBK_GRID, Singles::None, Extra::None;
    gb18030 "_codecs_cn" grids::GB18030, Singles::None, Extra::Gb18030;
    big5hkscs "_codecs_hk" grids::BIG5HKSCS, Singles::None, Extra::None;
    shift_jis "_codecs_jp" grids::SHIFT_JIS, Singles::ShiftJis(0xEA), Extra::None;
    cp932 "_codecs_jp" grids::CP932, Singles::Cp932, Extra::None;
    euc_jp "_codecs_jp" grids::EUC_JP, Singles::None, Extra::Euc(grids::EUC_JP_3);
    shift_jis_2004 "_codecs_jp" grids::SHIFT_JIS_2004, Singles::ShiftJis2004, Extra::None;
    euc_jis_2004 "_codecs_jp" grids::EUC_JIS_2004, Singles::None, Extra::Euc(grids::EUC_JIS_2004_3);
    euc_jisx0213 "_codecs_jp" grids::EUC_JISX0213, Singles::None, Extra::Euc(grids::EUC_JISX0213_3);
    shift_jisx0213 "_codecs_jp" grids::SHIFT_JISX0213, Singles::ShiftJis2004, Extra::None;
    euc_kr "_codecs_kr" grids::EUC_KR, Singles::None, Extra::EucKr;
    cp949 "_codecs_kr" grids::CP949, Singles::None, Extra::None;
    johab "_codecs_kr" grids::JOHAB, Singles::None, Extra::None;
    big5 "_codecs_tw" grids::BIG5_GRID, Singles::None, Extra::None;
    cp950 "_codecs_tw" grids::CP950, Singles::None, Extra::None;
}

const fn iso(name: &'static str, kind: &'static iso2022::Iso2022) -> Codec {
    Codec { name, module: "_codecs_iso2022", kind: Kind::Iso2022(kind) }
}

static STATEFUL: [Codec; 8] = [
    Codec { name: "hz", module: "_codecs_cn", kind: Kind::Hz },
    iso("iso2022_kr", &iso2022::KR),
    iso("iso2022_jp", &iso2022::JP),
    iso("iso2022_jp_1", &iso2022::JP_1),
    iso("iso2022_jp_2", &iso2022::JP_2),
    iso("iso2022_jp_2004", &iso2022::JP_2004),
    iso("iso2022_jp_3", &iso2022::JP_3),
    iso("iso2022_jp_ext", &iso2022::JP_EXT),
];

/// `getcodec(name)` of a module. Raises `LookupError` for a name that it doesn't have.
pub fn get_codec(module: &str, name: &Object, vm: &Vm) -> PyResult<Ref<MultibyteCodec>> {
    let Some(name) = name.downcast_ref::<Str>() else {
        return Err(vm.type_error("encoding name must be a string."));
    };
    let found =
        STATELESS.iter().chain(&STATEFUL).find(|codec| codec.module == module && name.eq_str(codec.name));
    match found {
        Some(codec) => Ok(MultibyteCodec::make(codec, vm)),
        None => Err(vm.lookup_error("no such codec is supported.")),
    }
}
