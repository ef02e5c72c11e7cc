//! The vocabulary: every fact the engine can record.
//!
//! One declaration per fact (see `declare`) gives its name, whether it is an
//! act of ours or an event of the world, the key that ties it to other facts of
//! its stream, and its fields. The names are a stored contract: shapes may only
//! grow, and a test holds them against `facts.snap`.

pub(crate) mod declare;

mod fact;
mod json;
mod json_text;
mod json_value;
mod problem;
mod suggest;
mod value;

pub mod bookkeeping;
pub mod knowledge;
pub mod shift;
pub mod ticket;

pub use fact::Fact;
pub use json::decode_fact;
pub(crate) use json::{StoredFact, personal_fields};
pub(crate) use json_text::JsonText;
pub use problem::FactProblem;
pub use suggest::nearest;
pub(crate) use suggest::printable;
pub use value::{FieldType, Scalar, Value};

/// Whether a fact is ours to do or happens to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Ours to do: proposed for now it may be refused.
    Act,
    /// The world's doing: it is recorded whatever the rules say, and flagged.
    Event,
}

impl Nature {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Event => "event",
        }
    }
}

/// A kind of stream: what the facts of a stream are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// Facts about the record itself, at home in every stream.
    Any,
    /// A request from first ring to archive.
    Ticket,
    /// One person's duty at the desk.
    Shift,
    /// The knowledge base.
    Knowledge,
}

impl Process {
    /// The processes a stream can be of.
    pub const ALL: &[Self] = &[Self::Ticket, Self::Shift, Self::Knowledge];

    /// The name, as stream ids and rule files write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Ticket => "ticket",
            Self::Shift => "shift",
            Self::Knowledge => "knowledge",
        }
    }

    /// The attributes rules of this process may test.
    pub const fn attributes(self) -> &'static [Attribute] {
        match self {
            Self::Any => &[],
            Self::Ticket => ticket::ATTRIBUTES,
            Self::Shift => shift::ATTRIBUTES,
            Self::Knowledge => knowledge::ATTRIBUTES,
        }
    }

    /// The facts that may begin a stream of this process.
    pub const fn opened_by(self) -> &'static [FactType] {
        match self {
            Self::Any => &[],
            Self::Ticket => ticket::OPENED_BY,
            Self::Shift => shift::OPENED_BY,
            Self::Knowledge => knowledge::OPENED_BY,
        }
    }

    /// The fact that opens a closed stream again, if there is one.
    pub const fn reopened_by(self) -> Option<FactType> {
        match self {
            Self::Ticket => Some(ticket::REOPENED_BY),
            Self::Any | Self::Shift | Self::Knowledge => None,
        }
    }

    /// The keys facts of this process are tied by.
    pub const fn keys(self) -> &'static [KeyOpening] {
        match self {
            Self::Any => &[],
            Self::Ticket => ticket::KEYS,
            Self::Shift => shift::KEYS,
            Self::Knowledge => knowledge::KEYS,
        }
    }
}

/// A named value of a stream: the latest one a certain field was given.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// The name rules use.
    pub name: &'static str,
    /// The fact that sets it.
    pub fact: FactType,
    /// The field of that fact.
    pub field: &'static str,
}

/// How a key comes into being.
#[derive(Debug, Clone, Copy)]
pub struct KeyOpening {
    /// The key's name.
    pub key: &'static str,
    /// The facts that open one.
    pub opened_by: &'static [FactType],
    /// Whether a fact for a key that was never opened is nonsense.
    pub strict: bool,
}

/// The key of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// The key's name, e.g. `visit`.
    pub name: &'static str,
    /// Whether the fact may also stand without it.
    pub optional: bool,
}

/// One field of a fact.
#[derive(Debug, Clone, Copy)]
pub struct FieldSpec {
    /// The stored name.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What it holds.
    pub field_type: FieldType,
}

/// Everything the declaration of a fact says.
#[derive(Debug, Clone, Copy)]
pub struct FactSpec {
    /// The stored name, past tense.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// The process it belongs to.
    pub process: Process,
    /// The group it is declared in.
    pub group: &'static str,
    /// Act or event.
    pub nature: Nature,
    /// The key it is tied by.
    pub key: Option<KeySpec>,
    /// Its fields.
    pub fields: &'static [FieldSpec],
}

impl FactSpec {
    /// The place and declaration of a field.
    pub fn field(&self, name: &str) -> Option<(u8, &'static FieldSpec)> {
        self.fields
            .iter()
            .enumerate()
            .find(|(_, field)| field.name == name)
            .and_then(|(index, field)| u8::try_from(index).ok().map(|index| (index, field)))
    }
}

/// One type of fact: a number into the table of all facts.
///
/// The number is an implementation matter and never stored; the name is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactType(u16);

/// The groups, in the order their numbers follow each other.
const GROUPS: &[(u16, &[FactSpec])] = &[
    (bookkeeping::BASE, bookkeeping::SPECS),
    (ticket::intake::BASE, ticket::intake::SPECS),
    (ticket::call::BASE, ticket::call::SPECS),
    (ticket::ownership::BASE, ticket::ownership::SPECS),
    (ticket::handling::BASE, ticket::handling::SPECS),
    (ticket::talk::BASE, ticket::talk::SPECS),
    (ticket::visit::BASE, ticket::visit::SPECS),
    (ticket::closure::BASE, ticket::closure::SPECS),
    (shift::BASE, shift::SPECS),
    (knowledge::BASE, knowledge::SPECS),
];

/// How many types of fact there are.
pub(crate) const FACT_TYPES: usize = knowledge::END as usize;

/// Every fact's declaration, by number.
static TABLE: [&FactSpec; FACT_TYPES] = table();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: an index out of bounds does not compile"
)]
const fn table() -> [&'static FactSpec; FACT_TYPES] {
    let mut table = [&bookkeeping::SPECS[0]; FACT_TYPES];
    let mut group = 0;
    while group < GROUPS.len() {
        let (base, specs) = GROUPS[group];
        let mut index = 0;
        while index < specs.len() {
            table[base as usize + index] = &specs[index];
            index += 1;
        }
        group += 1;
    }
    table
}

/// The numbers of all facts, sorted by name: every record that is read asks for
/// its type by name.
static BY_NAME: [u16; FACT_TYPES] = by_name();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: an index out of bounds does not compile"
)]
const fn by_name() -> [u16; FACT_TYPES] {
    let table = table();
    let mut sorted = [0; FACT_TYPES];
    let mut count = 0;
    while count < FACT_TYPES {
        // Straight insertion: some eighty names, once, in the compiler.
        let mut at = count;
        while at > 0 && is_less(table[count].name, table[sorted[at - 1] as usize].name) {
            sorted[at] = sorted[at - 1];
            at -= 1;
        }
        sorted[at] = count as u16;
        count += 1;
    }
    sorted
}

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated at compile time: an index out of bounds does not compile"
)]
const fn is_less(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return a[at] < b[at];
        }
        at += 1;
    }
    a.len() < b.len()
}

impl FactType {
    pub(crate) const fn numbered(number: u16) -> Self {
        Self(number)
    }

    /// The place in tables that have one entry a fact type.
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// The type with this stored name.
    #[expect(
        clippy::indexing_slicing,
        reason = "the numbers in BY_NAME are those of the table"
    )]
    pub fn named(name: &str) -> Option<Self> {
        BY_NAME
            .binary_search_by(|number| TABLE[*number as usize].name.cmp(name))
            .ok()
            .and_then(|found| BY_NAME.get(found))
            .map(|number| Self(*number))
    }

    /// Every type, in the order of declaration.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..knowledge::END).map(Self)
    }

    /// The declaration of this type.
    #[expect(
        clippy::indexing_slicing,
        reason = "a number is only made by the declarations, which the table covers"
    )]
    pub fn spec(self) -> &'static FactSpec {
        TABLE[self.index()]
    }

    /// The stored name.
    pub fn name(self) -> &'static str {
        self.spec().name
    }
}

impl std::fmt::Debug for FactType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Display for FactType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
