//! Import statements.

use taipan_bytecode::opcode::Intrinsic1;
use taipan_bytecode::{AnyOpcode as Op, Const};
use taipan_parser::ast::{Alias, Range};

use super::{Compiler, Done};
use crate::constants::str_const;
use crate::instruction::Loc;

impl<'a> Compiler<'a, '_> {
    pub(super) fn import(&mut self, names: &'a [Alias<'a>], loc: Loc) -> Done {
        for alias in names {
            self.load_const(Const::Int(0), loc);
            self.load_none(loc);
            self.op_name(Op::ImportName, alias.name, loc);
            let mut parts = alias.name.split('.');
            let first = parts.next().unwrap_or(alias.name);
            let Some(asname) = alias.asname else {
                self.store_name(first, loc)?;
                continue;
            };
            let mut dotted = false;
            for part in parts {
                if dotted {
                    self.op_arg(Op::Swap, 2, loc);
                    self.op(Op::PopTop, loc);
                }
                dotted = true;
                let index = self.unit.names.add(part);
                self.op_arg(Op::ImportFrom, index, loc);
            }
            self.store_name(asname, loc)?;
            if dotted {
                self.op(Op::PopTop, loc);
            }
        }
        Ok(())
    }

    pub(super) fn import_from(
        &mut self,
        module: Option<&'a str>,
        names: &'a [Alias<'a>],
        level: i32,
        range: Range,
    ) -> Done {
        self.load_const(Const::Int(i64::from(level)), range);
        let list = names.iter().map(|alias| str_const(alias.name.as_bytes())).collect();
        self.load_const(Const::Tuple(list), range);
        self.op_name(Op::ImportName, module.unwrap_or(""), range);
        for (i, alias) in names.iter().enumerate() {
            if i == 0 && alias.name == "*" {
                self.op_arg(Op::CallIntrinsic1, Intrinsic1::ImportStar as u32, range);
                self.op(Op::PopTop, Loc::NONE);
                return Ok(());
            }
            self.op_name(Op::ImportFrom, alias.name, range);
            self.store_name(alias.asname.unwrap_or(alias.name), range)?;
        }
        self.op(Op::PopTop, range);
        Ok(())
    }
}
