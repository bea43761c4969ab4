//! Constants: what the globals hold at first.
//!
//! A core instance of a component has no globals but those of other core
//! instances, and an initial value may only read what never changes, so every
//! initial value is known here. That makes all offsets of segments constants,
//! and a global that nothing writes a constant in code.

use std::collections::BTreeMap;

use wasm_encoder::{ConstExpr as Encoded, HeapType, Ieee32, Ieee64, Instruction};
use wasmparser::{ConstExpr, Operator};

use crate::error::{Error, Feature};
use crate::graph::{Entity, Graph};
use crate::module::Kind;

/// A constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    I32(i32),
    I64(i64),
    F32(Ieee32),
    F64(Ieee64),
    V128(i128),
    Func(Entity),
    /// A null reference; the type's index is of the instance's module.
    Null {
        instance: usize,
        ty: wasmparser::HeapType,
    },
}

impl Value {
    /// The instruction that makes this number; none for a reference.
    pub(crate) fn number(self) -> Option<Instruction<'static>> {
        Some(match self {
            Value::I32(value) => Instruction::I32Const(value),
            Value::I64(value) => Instruction::I64Const(value),
            Value::F32(value) => Instruction::F32Const(value),
            Value::F64(value) => Instruction::F64Const(value),
            Value::V128(value) => Instruction::V128Const(value),
            Value::Func(_) | Value::Null { .. } => return None,
        })
    }

    /// The constant expression, given where functions and types are now.
    pub(crate) fn encode(
        self,
        func: impl FnOnce(Entity) -> Result<u32, Error>,
        null: impl FnOnce(usize, wasmparser::HeapType) -> Result<HeapType, Error>,
    ) -> Result<Encoded, Error> {
        Ok(match self {
            Value::Func(entity) => Encoded::ref_func(func(entity)?),
            Value::Null { instance, ty } => Encoded::ref_null(null(instance, ty)?),
            number => Encoded::extended(number.number()),
        })
    }
}

/// The initial values of the merged instances' globals.
#[derive(Default)]
pub(crate) struct Globals {
    values: BTreeMap<Entity, Value>,
}

impl Globals {
    /// Evaluates the globals of these instances, which are in their order.
    pub(crate) fn new(graph: &Graph<'_>, instances: &[usize]) -> Result<Self, Error> {
        let mut globals = Globals::default();
        for &instance in instances {
            let (module, _) = graph.module(instance)?;
            for (index, global) in (module.imported(Kind::Global)..).zip(&module.globals) {
                let value = globals.evaluate(graph, instance, &global.init_expr)?;
                globals.values.insert(Entity::Def { instance, kind: Kind::Global, index }, value);
            }
        }
        Ok(globals)
    }

    /// The initial value of a global.
    pub(crate) fn value(&self, global: Entity) -> Result<Value, Error> {
        self.values.get(&global).copied().ok_or(Error::Dangling("a global"))
    }

    /// The functions that globals hold references to.
    pub(crate) fn funcs(&self) -> impl Iterator<Item = Entity> {
        self.values.values().filter_map(|value| match value {
            Value::Func(entity) => Some(*entity),
            _ => None,
        })
    }

    /// Evaluates a constant expression of an instance's module.
    pub(crate) fn evaluate(
        &self,
        graph: &Graph<'_>,
        instance: usize,
        expr: &ConstExpr<'_>,
    ) -> Result<Value, Error> {
        let mut stack = Vec::new();
        for operator in expr.get_operators_reader() {
            let value = match operator? {
                Operator::I32Const { value } => Value::I32(value),
                Operator::I64Const { value } => Value::I64(value),
                Operator::F32Const { value } => Value::F32(value.into()),
                Operator::F64Const { value } => Value::F64(value.into()),
                Operator::V128Const { value } => Value::V128(value.i128()),
                Operator::RefNull { hty } => Value::Null { instance, ty: hty },
                Operator::RefFunc { function_index } => {
                    Value::Func(graph.local(instance, Kind::Func, function_index)?)
                }
                Operator::GlobalGet { global_index } => {
                    self.value(graph.local(instance, Kind::Global, global_index)?)?
                }
                Operator::End => break,
                operator => {
                    let (right, left) = (stack.pop(), stack.pop());
                    arithmetic(&operator, left, right)?
                }
            };
            stack.push(value);
        }
        match (stack.pop(), stack.pop()) {
            (Some(value), None) => Ok(value),
            _ => Err(Error::Unsupported(Feature::ConstExpr("other than one value"))),
        }
    }
}

fn arithmetic(
    operator: &Operator<'_>,
    left: Option<Value>,
    right: Option<Value>,
) -> Result<Value, Error> {
    Ok(match (operator, left, right) {
        (Operator::I32Add, Some(Value::I32(a)), Some(Value::I32(b))) => {
            Value::I32(a.wrapping_add(b))
        }
        (Operator::I32Sub, Some(Value::I32(a)), Some(Value::I32(b))) => {
            Value::I32(a.wrapping_sub(b))
        }
        (Operator::I32Mul, Some(Value::I32(a)), Some(Value::I32(b))) => {
            Value::I32(a.wrapping_mul(b))
        }
        (Operator::I64Add, Some(Value::I64(a)), Some(Value::I64(b))) => {
            Value::I64(a.wrapping_add(b))
        }
        (Operator::I64Sub, Some(Value::I64(a)), Some(Value::I64(b))) => {
            Value::I64(a.wrapping_sub(b))
        }
        (Operator::I64Mul, Some(Value::I64(a)), Some(Value::I64(b))) => {
            Value::I64(a.wrapping_mul(b))
        }
        _ => {
            return Err(Error::Unsupported(Feature::ConstExpr("an unknown instruction")));
        }
    })
}
