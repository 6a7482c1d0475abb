//! Walks a parsed document: finds each key's field, reads its value, and
//! notes every fault with its place. Knows TOML and no key by name.

use super::{Fault, Place, fault::Wrong, value};
use crate::wire::Timestamp;
use std::{collections::BTreeMap, ops::RangeInclusive, path::Path};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// One key: what people are told about it, and how it is read into a `T`.
pub(super) struct Field<T> {
    /// Dotted from the document, or from the table for a key inside a list.
    pub(super) name: &'static str,
    /// What it is for, in sentences.
    pub(super) about: &'static str,
    /// As a file writes it: the default, or for a key inside a list an example.
    pub(super) value: &'static str,
    /// What to write, with an example; ends a sentence that begins with "write".
    pub(super) kind: &'static str,
    pub(super) read: fn(&mut T, Item<'_, '_>),
}

/// What people are told about a key, whatever it is read into.
pub(super) struct About {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) value: &'static str,
    pub(super) kind: &'static str,
}

impl<T> Field<T> {
    pub(super) fn about(&self) -> About {
        About {
            name: self.name,
            about: self.about,
            value: self.value,
            kind: self.kind,
        }
    }
}

impl<T> AsRef<Self> for Field<T> {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// The faults of one document so far, and where its keys stand.
pub(super) struct Reader<'t> {
    file: &'t Path,
    text: &'t str,
    line_starts: Vec<usize>,
    /// Lines on which TOML itself is broken. What was recovered of them is
    /// guesswork, so their values are not complained about as well.
    broken: Vec<usize>,
    pub(super) faults: Vec<Fault>,
    /// Where each key of the document itself was given.
    pub(super) places: BTreeMap<&'static str, Place>,
}

/// One value on its way into the configuration.
pub(super) struct Item<'r, 't> {
    reader: &'r mut Reader<'t>,
    key: String,
    kind: &'static str,
    value: &'t DeValue<'t>,
    offset: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(file: &'t Path, text: &'t str) -> Self {
        let ends = text.match_indices('\n').map(|(end, _)| end + 1);
        Self {
            file,
            text,
            line_starts: std::iter::once(0).chain(ends).collect(),
            broken: Vec::new(),
            faults: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    /// Notes what the TOML parser could not read.
    pub(super) fn syntax(&mut self, errors: &[toml::de::Error]) {
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            let (line, _) = self.line_column(span.start);
            // One break often gives several errors; the first says it.
            if self.broken.contains(&line) {
                continue;
            }
            self.broken.push(line);
            let near = self.text.get(span.clone()).unwrap_or_default();
            let (key, wrong) = if error.message() == "duplicate key" {
                let wrong = Wrong::new("is given twice", "keep one of the two");
                (near.escape_debug().to_string(), wrong)
            } else {
                let what = format!("the TOML cannot be read: {}", error.message());
                let hint = "write key = value, text in double quotes, one key a line";
                (String::new(), Wrong::new(what, hint))
            };
            let fault = wrong.at(self.place(span.start), key);
            self.faults.push(fault);
        }
    }

    /// True when the document had syntax errors, so that a key may be missing
    /// only because its line could not be read.
    pub(super) fn is_broken(&self) -> bool {
        !self.broken.is_empty()
    }

    pub(super) fn place(&self, offset: usize) -> Place {
        let (line, column) = self.line_column(offset);
        Place::File {
            file: self.file.to_owned(),
            line,
            column,
        }
    }

    fn line_column(&self, offset: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).map_or(0, |line| self.line_starts[line]);
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    fn fault(&mut self, offset: usize, key: &str, wrong: Wrong) {
        if !self.broken.contains(&self.line_column(offset).0) {
            // A quoted key may hold anything.
            let key: String = key.chars().flat_map(char::escape_debug).collect();
            let fault = wrong.at(self.place(offset), key);
            self.faults.push(fault);
        }
    }

    /// Reads a document whose keys are `fields`.
    pub(super) fn document<T>(
        &mut self,
        table: &'t DeTable<'t>,
        fields: &'static [impl AsRef<Field<T>>],
        target: &mut T,
    ) {
        self.table("", "", table, fields, target);
    }

    /// Reads a table: `base` is where a list's table stands, `section` the
    /// dotted way from there to here.
    fn table<T>(
        &mut self,
        base: &str,
        section: &str,
        table: &'t DeTable<'t>,
        fields: &'static [impl AsRef<Field<T>>],
        target: &mut T,
    ) {
        for (name, value) in table {
            let local = join(section, name.get_ref());
            let key = join(base, &local);
            let below = format!("{local}.");
            let mut all = fields.iter().map(AsRef::as_ref);
            if let Some(field) = all.clone().find(|field| field.name == local) {
                if base.is_empty() {
                    let place = self.place(name.span().start);
                    self.places.insert(field.name, place);
                }
                let item = Item {
                    reader: self,
                    key,
                    kind: field.kind,
                    value: value.get_ref(),
                    offset: value.span().start,
                };
                (field.read)(target, item);
            } else if all.any(|field| field.name.starts_with(&below)) {
                match value.get_ref() {
                    DeValue::Table(inner) => self.table(base, &local, inner, fields, target),
                    other => {
                        let what = format!("is {}, not a section", type_name(other));
                        let hint = format!("write [{key}] and its keys below it");
                        self.fault(value.span().start, &key, Wrong::new(what, hint));
                    }
                }
            } else {
                let known: Vec<&str> = fields.iter().map(|field| field.as_ref().name).collect();
                let hint = unknown_hint(&local, section, &known);
                let wrong = Wrong::new("there is no such key", hint);
                self.fault(name.span().start, &key, wrong);
            }
        }
    }
}

impl<'t> Item<'_, 't> {
    /// The same value, for what it holds.
    fn part(&mut self, index: usize, part: &'t Spanned<DeValue<'t>>) -> Item<'_, 't> {
        Item {
            reader: self.reader,
            key: format!("{}[{index}]", self.key),
            kind: self.kind,
            value: part.get_ref(),
            offset: part.span().start,
        }
    }

    pub(super) fn wrong(self, wrong: Wrong) {
        self.reader.fault(self.offset, &self.key, wrong);
    }

    fn mistyped(self) {
        let what = format!("{} does not belong here", type_name(self.value));
        let hint = format!("write {}", self.kind);
        self.wrong(Wrong::new(what, hint));
    }

    /// Complains about what is no whole number; `least` is the smallest that
    /// will do.
    fn no_number(self, least: &str) {
        match self.value {
            DeValue::Integer(number) if number.as_str().starts_with('-') => {
                let what = format!("{number} is out of range");
                self.wrong(Wrong::new(what, format!("it must be {least} or more")));
            }
            _ => self.mistyped(),
        }
    }

    fn put<V>(self, slot: &mut V, read: Result<V, Wrong>) {
        match read {
            Ok(value) => *slot = value,
            Err(wrong) => self.wrong(wrong),
        }
    }

    /// A string that `parse` takes.
    pub(super) fn text<V>(self, slot: &mut V, parse: impl Fn(&str) -> Result<V, Wrong>) {
        match self.value {
            DeValue::String(text) => self.put(slot, parse(text)),
            _ => self.mistyped(),
        }
    }

    /// A string that `parse` takes; an empty one is none.
    pub(super) fn optional<V>(
        self,
        slot: &mut Option<V>,
        parse: impl Fn(&str) -> Result<V, Wrong>,
    ) {
        self.text(slot, |text| match text {
            "" => Ok(None),
            text => parse(text).map(Some),
        });
    }

    /// A list of strings that `parse` takes, each once, and that `whole` takes
    /// together.
    pub(super) fn list<V: PartialEq>(
        mut self,
        slot: &mut Vec<V>,
        parse: impl Fn(&str) -> Result<V, Wrong>,
        whole: impl Fn(&[V]) -> Result<(), Wrong>,
    ) {
        let DeValue::Array(parts) = self.value else {
            return self.mistyped();
        };
        let mut values = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let item = self.part(index, part);
            let mut value = None;
            match part.get_ref() {
                DeValue::String(text) => item.put(&mut value, parse(text).map(Some)),
                _ => item.mistyped(),
            }
            match value {
                Some(value) if values.contains(&value) => self
                    .part(index, part)
                    .wrong(Wrong::new("is in the list twice", "keep one of the two")),
                Some(value) => values.push(value),
                None => {}
            }
        }
        if values.len() < parts.len() {
            // Each of the others has its complaint.
            return;
        }
        match whole(&values) {
            Ok(()) => *slot = values,
            Err(wrong) => self.wrong(wrong),
        }
    }

    /// A whole number.
    pub(super) fn number(self, slot: &mut usize, range: RangeInclusive<usize>) {
        match whole_number(self.value) {
            Some(number) => self.put(slot, value::within(number, &range, |n| n.to_string())),
            None => self.no_number(&range.start().to_string()),
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(self, slot: &mut bool) {
        match self.value {
            DeValue::Boolean(value) => *slot = *value,
            _ => self.mistyped(),
        }
    }

    /// Bytes: a whole number, or a string with a unit.
    pub(super) fn size(self, slot: &mut usize, range: RangeInclusive<usize>) {
        let bytes = match (self.value, whole_number(self.value)) {
            (DeValue::String(text), _) => value::size(text),
            (_, Some(number)) => Ok(number),
            _ => return self.no_number(&value::show_size(*range.start())),
        };
        let bytes = bytes.and_then(|bytes| value::within(bytes, &range, value::show_size));
        self.put(slot, bytes);
    }

    /// A date, or a moment with its offset: the first one past it.
    pub(super) fn end_of(self, slot: &mut Option<Timestamp>) {
        match self.value {
            DeValue::Datetime(date) => self.put(slot, value::end_of(date).map(Some)),
            DeValue::String(_) => self.wrong(Wrong::new(
                "the date is in quotes",
                "write it without: 2027-01-01",
            )),
            _ => self.mistyped(),
        }
    }

    /// A list of tables, each read into a fresh `T` and handed over with its
    /// key and whether a field of it was given.
    pub(super) fn tables<T: Default>(
        mut self,
        fields: &'static [Field<T>],
        mut each: impl FnMut(T, Entry<'_, 't>),
    ) {
        let DeValue::Array(parts) = self.value else {
            return self.mistyped();
        };
        for (index, part) in parts.iter().enumerate() {
            let item = self.part(index, part);
            let DeValue::Table(table) = item.value else {
                item.mistyped();
                continue;
            };
            let mut entry = T::default();
            item.reader.table(&item.key, "", table, fields, &mut entry);
            each(entry, Entry { item, table });
        }
    }
}

/// One table of a list, after its fields were read.
pub(super) struct Entry<'r, 't> {
    item: Item<'r, 't>,
    table: &'t DeTable<'t>,
}

impl Entry<'_, '_> {
    /// Complains about a field that is not there. One that is there and
    /// faulty has its complaint already.
    pub(super) fn missing(&mut self, field: &str, hint: &str) {
        if !self.table.contains_key(field) && !self.item.reader.is_broken() {
            let key = join(&self.item.key, field);
            let wrong = Wrong::new("is missing", hint);
            self.item.reader.fault(self.item.offset, &key, wrong);
        }
    }

    /// Complains about a field that is there.
    pub(super) fn wrong(&mut self, field: &str, wrong: Wrong) {
        let given = self.table.get(field);
        let offset = given.map_or(self.item.offset, |value| value.span().start);
        let key = join(&self.item.key, field);
        self.item.reader.fault(offset, &key, wrong);
    }
}

fn join(base: &str, name: &str) -> String {
    if base.is_empty() {
        name.to_owned()
    } else {
        format!("{base}.{name}")
    }
}

fn whole_number(value: &DeValue<'_>) -> Option<usize> {
    match value {
        DeValue::Integer(number) => usize::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The key that was probably meant, else the ones there are.
fn unknown_hint(key: &str, section: &str, known: &[&str]) -> String {
    let leaf = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    // Inside a section, the section itself was not meant.
    let sections = known
        .iter()
        .filter(|_| section.is_empty())
        .filter_map(|name| Some(name.rsplit_once('.')?.0));
    let near = value::nearest(key, known.iter().copied().chain(sections));
    let elsewhere = || known.iter().copied().find(|name| leaf(name) == leaf(key));
    if let Some(name) = near.or_else(elsewhere) {
        return format!("did you mean {name}?");
    }
    let inside = if section.is_empty() {
        String::new()
    } else {
        format!("{section}.")
    };
    let mut here: Vec<&str> = known
        .iter()
        .filter_map(|name| name.strip_prefix(&inside))
        .map(|name| name.split('.').next().unwrap_or_default())
        .collect();
    here.dedup();
    format!("there are: {}", here.join(", "))
}
