//! The merged module's segments, and the code that writes those which must
//! wait for other code.

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{
    DataSection, DataSegment, DataSegmentMode, ElementMode, ElementSection, ElementSegment,
    Elements, Function, Instruction,
};
use wasmparser::{DataKind, ElementItems, ElementKind};

use crate::error::Error;
use crate::merge::Writer;
use crate::plan::Step;

impl Writer<'_, '_> {
    /// The element segments, at the places that the layout says, and one that
    /// declares what code refers to.
    pub(crate) fn elements(&self) -> Result<ElementSection, Error> {
        let mut section = ElementSection::new();
        for &instance in &self.plan.merged {
            let (module, _) = self.graph.module(instance)?;
            let mut rewriter = self.rewriter(instance)?;
            let deferred = self.plan.deferred.contains(&instance);
            for element in &module.elements {
                let (at, offset);
                let mode = match &element.kind {
                    ElementKind::Declared => {
                        section.declared(Elements::Functions([].as_slice().into()));
                        continue;
                    }
                    ElementKind::Active { table_index, offset_expr } if !deferred => {
                        at = rewriter.table_index(table_index.unwrap_or(0))?;
                        offset = self.constant(instance, offset_expr)?;
                        ElementMode::Active { table: (at != 0).then_some(at), offset: &offset }
                    }
                    _ => ElementMode::Passive,
                };
                let elements = match &element.items {
                    ElementItems::Functions(funcs) => {
                        let mut indices = Vec::with_capacity(funcs.count() as usize);
                        for func in funcs.clone() {
                            indices.push(rewriter.function_index(func?)?);
                        }
                        Elements::Functions(indices.into())
                    }
                    ElementItems::Expressions(ty, exprs) => {
                        let mut values = Vec::with_capacity(exprs.count() as usize);
                        for expr in exprs.clone() {
                            values.push(self.constant(instance, &expr?)?);
                        }
                        Elements::Expressions(rewriter.ref_type(*ty)?, values.into())
                    }
                };
                section.segment(ElementSegment { mode, elements });
            }
        }
        if !self.live.referenced.is_empty() {
            let funcs = self.live.referenced.iter().map(|&func| self.layout.of(func));
            let funcs = funcs.collect::<Result<Vec<_>, _>>()?;
            section.declared(Elements::Functions(funcs.into()));
        }
        Ok(section)
    }

    /// The data segments.
    pub(crate) fn data(&self) -> Result<DataSection, Error> {
        let mut section = DataSection::new();
        for &instance in &self.plan.merged {
            let (module, _) = self.graph.module(instance)?;
            let mut rewriter = self.rewriter(instance)?;
            let deferred = self.plan.deferred.contains(&instance);
            for segment in &module.data {
                let offset;
                let mode = match &segment.kind {
                    DataKind::Active { memory_index, offset_expr } if !deferred => {
                        offset = self.constant(instance, offset_expr)?;
                        let memory_index = rewriter.memory_index(*memory_index)?;
                        DataSegmentMode::Active { memory_index, offset: &offset }
                    }
                    _ => DataSegmentMode::Passive,
                };
                section.segment(DataSegment { mode, data: segment.data.iter().copied() });
            }
        }
        Ok(section)
    }

    /// A function that takes these steps.
    pub(crate) fn steps(&self, steps: &[Step]) -> Result<Function, Error> {
        let mut function = Function::new([]);
        for step in steps {
            match *step {
                Step::Start(func) => {
                    function.instruction(&Instruction::Call(self.layout.of(func)?));
                }
                Step::Segments(instance) => self.segments(instance, &mut function)?,
            }
        }
        function.instruction(&Instruction::End);
        Ok(function)
    }

    /// Writes an instance's segments as instantiation would.
    fn segments(&self, instance: usize, function: &mut Function) -> Result<(), Error> {
        let (module, _) = self.graph.module(instance)?;
        let mut rewriter = self.rewriter(instance)?;
        let offset = |expr, function: &mut Function| -> Result<(), Error> {
            let value = self.globals.evaluate(self.graph, instance, expr)?.number();
            function.instruction(&value.ok_or(Error::Dangling("an offset"))?);
            function.instruction(&Instruction::I32Const(0));
            Ok(())
        };
        for (index, element) in (0..).zip(&module.elements) {
            let ElementKind::Active { table_index, offset_expr } = &element.kind else {
                continue;
            };
            let count = match &element.items {
                ElementItems::Functions(funcs) => funcs.count(),
                ElementItems::Expressions(_, exprs) => exprs.count(),
            };
            offset(offset_expr, function)?;
            let elem_index = rewriter.element_index(index)?;
            let table = rewriter.table_index(table_index.unwrap_or(0))?;
            function.instruction(&Instruction::I32Const(count as i32));
            function.instruction(&Instruction::TableInit { elem_index, table });
            function.instruction(&Instruction::ElemDrop(elem_index));
        }
        for (index, segment) in (0..).zip(&module.data) {
            let DataKind::Active { memory_index, offset_expr } = &segment.kind else {
                continue;
            };
            offset(offset_expr, function)?;
            let data_index = rewriter.data_index(index)?;
            let mem = rewriter.memory_index(*memory_index)?;
            function.instruction(&Instruction::I32Const(segment.data.len() as i32));
            function.instruction(&Instruction::MemoryInit { mem, data_index });
            function.instruction(&Instruction::DataDrop(data_index));
        }
        Ok(())
    }
}
