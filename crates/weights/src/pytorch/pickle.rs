//! The pickle of a `state_dict`: values that refer to each other, and the handful of functions that make tensors of them.
//!
//! **Invariants:** no function of the file is ever called, since none is known but by name. Nothing is copied: a value that
//! is used twice is one value, so that what is made is no larger than the file, however often it is referred to.

use std::collections::{BTreeSet, HashMap};

use crate::{Dtype, Fault};

/// A tensor as the pickle describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tensor<'a> {
    pub(super) name: &'a str,
    /// The member that has its numbers.
    pub(super) storage: &'a str,
    pub(super) dtype: Dtype,
    /// Numbers in the storage before its own.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// From one number to the next along each axis.
    strides: Vec<usize>,
}

impl Tensor<'_> {
    /// Row after row.
    pub(super) fn is_contiguous(&self) -> bool {
        let mut expected = Some(1usize);
        for (size, stride) in self.shape.iter().zip(&self.strides).rev() {
            if *size != 1 && expected != Some(*stride) {
                return false;
            }
            expected = expected.and_then(|expected| expected.checked_mul(*size));
        }
        true
    }

    /// A matrix, column after column.
    pub(super) fn is_turned(&self) -> bool {
        matches!((&self.shape[..], &self.strides[..]), ([rows, _], [1, stride]) if rows == stride)
    }
}

/// A value, by its place in [`Machine::values`].
type Id = usize;

#[derive(Clone, Debug)]
enum Value<'a> {
    /// What no tensor depends on: None, a switch, a fraction.
    Other,
    Whole(i64),
    Text(&'a str),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Function(Function),
    Storage {
        key: &'a str,
        dtype: Dtype,
    },
    Tensor {
        storage: Id,
        offset: i64,
        shape: Vec<i64>,
        strides: Vec<i64>,
    },
}

/// What a file may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    /// A tensor of a storage, a place in it, a shape and strides.
    RebuildTensor,
    /// A tensor that was a parameter.
    RebuildParameter,
    /// An empty dictionary.
    OrderedDict,
    /// The kind of a storage.
    Storage(Dtype),
}

const FUNCTIONS: &[(&str, &str, Function)] = &[
    ("torch._utils", "_rebuild_tensor_v2", Function::RebuildTensor),
    ("torch._utils", "_rebuild_parameter", Function::RebuildParameter),
    ("collections", "OrderedDict", Function::OrderedDict),
    ("torch", "DoubleStorage", Function::Storage(Dtype::F64)),
    ("torch", "FloatStorage", Function::Storage(Dtype::F32)),
    ("torch", "HalfStorage", Function::Storage(Dtype::F16)),
    ("torch", "BFloat16Storage", Function::Storage(Dtype::BF16)),
    ("torch", "LongStorage", Function::Storage(Dtype::I64)),
    ("torch", "IntStorage", Function::Storage(Dtype::I32)),
    ("torch", "ShortStorage", Function::Storage(Dtype::I16)),
    ("torch", "CharStorage", Function::Storage(Dtype::I8)),
    ("torch", "ByteStorage", Function::Storage(Dtype::U8)),
    ("torch", "BoolStorage", Function::Storage(Dtype::Bool)),
];

/// Axes of a tensor, at most; torch has the same bound. A shape that many tensors share is copied for each.
const MOST_AXES: usize = 64;

/// Under which of its keys a larger checkpoint has its weights.
const NESTED: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// Every tensor that the pickle names.
pub(super) fn read(pickle: &[u8]) -> Result<Vec<Tensor<'_>>, Fault> {
    let mut machine = Machine { input: pickle, ..Machine::default() };
    let top = machine.run()?;
    machine.tensors(top)
}

#[derive(Debug, Default)]
struct Machine<'a> {
    input: &'a [u8],
    values: Vec<Value<'a>>,
    stack: Vec<Id>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

fn damaged(what: &str) -> Fault {
    Fault::header(format!("its data.pkl {what}"))
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Id, Fault> {
        loop {
            match self.byte()? {
                b'.' => return self.pop(),
                0x80 => drop(self.byte()?),
                0x95 => drop(self.take(8)?),
                b'(' => self.marks.push(self.stack.len()),
                b'N' | 0x88 | 0x89 => self.push(Value::Other),
                b'G' => {
                    self.take(8)?;
                    self.push(Value::Other);
                }
                b'K' => {
                    let n = self.byte()?;
                    self.push(Value::Whole(n.into()));
                }
                b'M' => {
                    let n = self.number(2)?;
                    self.push(Value::Whole(n as i64));
                }
                b'J' => {
                    let n = self.number(4)? as u32;
                    self.push(Value::Whole((n as i32).into()));
                }
                0x8a => {
                    let n = self.byte()?;
                    let bytes = self.take(n.into())?;
                    self.push(long(bytes));
                }
                b'X' | b'T' => self.text(4)?,
                0x8c | b'U' => self.text(1)?,
                0x8d => self.text(8)?,
                b'}' => self.push(Value::Dict(Vec::new())),
                b']' => self.push(Value::List(Vec::new())),
                b')' => self.push(Value::Tuple(Vec::new())),
                b't' => {
                    let all = self.since_mark()?;
                    self.push(Value::Tuple(all));
                }
                n @ 0x85..=0x87 => {
                    let from = self.stack.len().checked_sub(usize::from(n - 0x84)).ok_or_else(early)?;
                    let all = self.stack.split_off(from);
                    self.push(Value::Tuple(all));
                }
                b'a' => {
                    let one = self.pop()?;
                    self.append(vec![one])?;
                }
                b'e' => {
                    let all = self.since_mark()?;
                    self.append(all)?;
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set(&[key, value])?;
                }
                b'u' => {
                    let all = self.since_mark()?;
                    self.set(&all)?;
                }
                b'q' => {
                    let at = self.byte()?.into();
                    self.remember(at)?;
                }
                b'r' => {
                    let at = self.number(4)? as u32;
                    self.remember(at)?;
                }
                0x94 => self.remember(self.memo.len() as u32)?,
                b'h' => {
                    let at = self.byte()?.into();
                    self.recall(at)?;
                }
                b'j' => {
                    let at = self.number(4)? as u32;
                    self.recall(at)?;
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.function(module, name)?;
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    match (&self.values[module], &self.values[name]) {
                        (Value::Text(module), Value::Text(name)) => {
                            let (module, name) = (*module, *name);
                            self.function(module, name)?;
                        }
                        _ => return Err(damaged("names a function by no name")),
                    }
                }
                b'Q' => self.storage()?,
                b'R' => self.call()?,
                // What a dictionary carries along: the versions of modules.
                b'b' => {
                    self.pop()?;
                    match self.stack.last().map(|top| &self.values[*top]) {
                        Some(Value::Dict(_)) => {}
                        _ => return Err(damaged("changes what is no dictionary")),
                    }
                }
                other => {
                    return Err(Fault::Unsupported {
                        what: format!("The step {other:#04x} in data.pkl"),
                        supported: "what torch.save writes of a state_dict",
                    });
                }
            }
        }
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.input.split_at_checked(n).ok_or_else(early)?;
        self.input = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.take(1)?[0])
    }

    /// Little-endian, of up to eight bytes.
    fn number(&mut self, n: usize) -> Result<u64, Fault> {
        Ok(self.take(n)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A text whose length stands before it in so many bytes.
    fn text(&mut self, width: usize) -> Result<(), Fault> {
        let n = usize::try_from(self.number(width)?).map_err(|_| early())?;
        let text = std::str::from_utf8(self.take(n)?).map_err(|_| damaged("has a text that is not UTF-8"))?;
        self.push(Value::Text(text));
        Ok(())
    }

    fn line(&mut self) -> Result<&'a str, Fault> {
        let n = self.input.iter().position(|byte| *byte == b'\n').ok_or_else(early)?;
        let line = self.take(n + 1)?;
        std::str::from_utf8(&line[..n]).map_err(|_| damaged("has a name that is not UTF-8"))
    }

    fn push(&mut self, value: Value<'a>) {
        self.values.push(value);
        self.stack.push(self.values.len() - 1);
    }

    fn pop(&mut self) -> Result<Id, Fault> {
        self.stack.pop().ok_or_else(early)
    }

    fn since_mark(&mut self) -> Result<Vec<Id>, Fault> {
        let mark = self.marks.pop().filter(|mark| *mark <= self.stack.len()).ok_or_else(early)?;
        Ok(self.stack.split_off(mark))
    }

    fn remember(&mut self, at: u32) -> Result<(), Fault> {
        let top = *self.stack.last().ok_or_else(early)?;
        self.memo.insert(at, top);
        Ok(())
    }

    fn recall(&mut self, at: u32) -> Result<(), Fault> {
        let id = *self.memo.get(&at).ok_or_else(|| damaged("recalls what it did not remember"))?;
        self.stack.push(id);
        Ok(())
    }

    fn append(&mut self, all: Vec<Id>) -> Result<(), Fault> {
        match self.stack.last().map(|top| &mut self.values[*top]) {
            Some(Value::List(list)) => list.extend(all),
            _ => return Err(damaged("adds to what is no list")),
        }
        Ok(())
    }

    fn set(&mut self, all: &[Id]) -> Result<(), Fault> {
        match self.stack.last().map(|top| &mut self.values[*top]) {
            Some(Value::Dict(dict)) => dict.extend(all.chunks_exact(2).map(|pair| (pair[0], pair[1]))),
            _ => return Err(damaged("adds to what is no dictionary")),
        }
        Ok(())
    }

    fn function(&mut self, module: &str, name: &str) -> Result<(), Fault> {
        let known = FUNCTIONS.iter().find(|(m, n, _)| *m == module && *n == name);
        let (_, _, function) = known.ok_or_else(|| Fault::Unsupported {
            what: format!(
                "The file asks for {module}.{name}, which is no part of weights and is not run. That"
            ),
            supported: "what torch.save writes of a state_dict",
        })?;
        self.push(Value::Function(*function));
        Ok(())
    }

    /// `('storage', kind, key, device, numbers)`
    fn storage(&mut self) -> Result<(), Fault> {
        let id = self.pop()?;
        let Value::Tuple(parts) = &self.values[id] else { return Err(damaged("has a storage that is none")) };
        let part = |at: usize| parts.get(at).map(|id| &self.values[*id]);
        match (part(0), part(1), part(2)) {
            (
                Some(Value::Text("storage")),
                Some(Value::Function(Function::Storage(dtype))),
                Some(Value::Text(key)),
            ) => {
                let value = Value::Storage { key, dtype: *dtype };
                self.push(value);
                Ok(())
            }
            _ => Err(damaged("has a storage that is none")),
        }
    }

    fn call(&mut self) -> Result<(), Fault> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        let (Value::Function(function), Value::Tuple(arguments)) =
            (&self.values[function], &self.values[arguments])
        else {
            return Err(damaged("calls what is no function"));
        };
        match (function, &arguments[..]) {
            (Function::OrderedDict, []) => self.push(Value::Dict(Vec::new())),
            (Function::RebuildParameter, [tensor, ..]) => self.stack.push(*tensor),
            (Function::RebuildTensor, [storage, offset, shape, strides, ..]) => {
                let wholes = |id: &Id| match &self.values[*id] {
                    Value::Tuple(all) if all.len() <= MOST_AXES => {
                        all.iter().map(|id| self.whole(*id)).collect::<Option<Vec<i64>>>()
                    }
                    _ => None,
                };
                let parts = (self.whole(*offset), wholes(shape), wholes(strides));
                let (Some(offset), Some(shape), Some(strides)) = parts else {
                    return Err(damaged("has a tensor without a shape"));
                };
                self.push(Value::Tensor { storage: *storage, offset, shape, strides });
            }
            _ => return Err(damaged("calls a function with too little")),
        }
        Ok(())
    }

    fn whole(&self, id: Id) -> Option<i64> {
        if let Value::Whole(n) = self.values[id] { Some(n) } else { None }
    }

    /// The tensors of the dictionary `top`, or of the one in it that is named like weights.
    fn tensors(&self, top: Id) -> Result<Vec<Tensor<'a>>, Fault> {
        let none = || Fault::NotAModel { because: "its data.pkl names no tensors" };
        let Value::Dict(dict) = &self.values[top] else { return Err(none()) };
        let inner = dict.iter().find_map(|(key, value)| match (&self.values[*key], &self.values[*value]) {
            (Value::Text(key), Value::Dict(inner)) if NESTED.contains(key) => Some(inner),
            _ => None,
        });
        let (mut tensors, mut names) = (Vec::new(), BTreeSet::new());
        for (key, value) in inner.unwrap_or(dict) {
            let (Value::Text(name), Value::Tensor { storage, offset, shape, strides }) =
                (&self.values[*key], &self.values[*value])
            else {
                continue;
            };
            let Value::Storage { key, dtype } = &self.values[*storage] else {
                return Err(Fault::tensor(name, "has no storage"));
            };
            if !names.insert(*name) {
                return Err(Fault::Twice((*name).to_owned()));
            }
            let sizes =
                |all: &[i64]| all.iter().map(|n| usize::try_from(*n).ok()).collect::<Option<Vec<_>>>();
            let (Some(shape), Some(strides), Ok(offset)) =
                (sizes(shape), sizes(strides), usize::try_from(*offset))
            else {
                return Err(Fault::tensor(name, "has a negative size"));
            };
            if shape.len() != strides.len() {
                return Err(Fault::tensor(name, "has a step for each of other axes than it has"));
            }
            tensors.push(Tensor { name, storage: key, dtype: *dtype, offset, shape, strides });
        }
        if tensors.is_empty() { Err(none()) } else { Ok(tensors) }
    }
}

fn early() -> Fault {
    damaged("ends early")
}

/// Two's complement, little-endian. One that is wider than any size is nothing that a tensor depends on.
fn long(bytes: &[u8]) -> Value<'static> {
    let Some(last) = bytes.last() else { return Value::Whole(0) };
    if bytes.len() > 8 {
        return Value::Other;
    }
    let mut wide = [if last & 0x80 == 0 { 0 } else { 0xff }; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    Value::Whole(i64::from_le_bytes(wide))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_have_a_sign() {
        let whole = |bytes: &[u8]| if let Value::Whole(n) = long(bytes) { Some(n) } else { None };
        assert_eq!(whole(&[]), Some(0));
        assert_eq!(whole(&[0xff]), Some(-1));
        assert_eq!(whole(&[0xff, 0x00]), Some(255));
        assert_eq!(whole(&[0; 9]), None);
    }

    #[test]
    fn a_value_that_holds_itself_a_million_times_over_is_one_value() {
        // [] remembered, then each list holds the one before twice: a copy would be 2^64 values.
        let mut pickle = b"\x80\x02]q\x00".to_vec();
        for i in 0..64u8 {
            pickle.extend([b']', b'q', i + 1, b'h', i, b'a', b'h', i, b'a']);
        }
        pickle.push(b'.');
        assert!(matches!(read(&pickle), Err(Fault::NotAModel { .. })));
    }

    #[test]
    fn what_ends_early_or_makes_no_sense_is_refused() {
        for pickle in
            [&b""[..], b"\x80", b"\x80\x02(", b"\x80\x02t.", b"}e.", b"h\x01.", b"NR.", b"N.", b"(Q."]
        {
            assert!(read(pickle).is_err(), "{pickle:?}");
        }
        let said = read(b"\x80\x02cos\nsystem\n.").unwrap_err().to_string();
        assert!(said.contains("os.system") && said.contains("is not run"), "{said}");
    }
}
