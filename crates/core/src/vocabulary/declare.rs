//! The one declaration a fact has: name, nature, key and fields, from which
//! the table of facts, the constants and the typed builders follow.

/// Declares the facts of one group.
///
/// ```text
/// facts! {
///     group call of Ticket from super::intake::END;
///
///     /// The desk picked up.
///     event call_answered CallAnswered [call] {
///         /// How often it rang before.
///         rings: int,
///     }
/// }
/// ```
///
/// `event` is of the world (never refused), `act` is ours to do. In brackets
/// stands the key that ties facts inside a stream; `[visit optional]` where the
/// fact may also stand without one.
macro_rules! facts {
    (
        group $group:ident of $process:ident from $base:expr;
        $(
            $(#[doc = $doc:literal])+
            $nature:ident $name:ident $ty:ident $([$key:ident $($optional:ident)?])? {
                $( $(#[doc = $field_doc:literal])+ $field:ident : $field_type:ident ),* $(,)?
            }
        )+
    ) => {
        /// The number of the first fact type of this group.
        pub(crate) const BASE: u16 = $base;

        mod counting {
            #[allow(dead_code, reason = "only its discriminants are used")]
            #[derive(Clone, Copy)]
            pub(super) enum Count { $($ty,)+ End }
        }

        /// The number after the last fact type of this group.
        pub(crate) const END: u16 = BASE + counting::Count::End as u16;

        /// The facts of this group, in the order they are declared.
        pub(crate) const SPECS: &[$crate::vocabulary::FactSpec] = &[$(
            $crate::vocabulary::FactSpec {
                name: stringify!($name),
                doc: concat!($($doc),+),
                process: $crate::vocabulary::Process::$process,
                group: stringify!($group),
                nature: $crate::vocabulary::declare::nature!($nature),
                key: $crate::vocabulary::declare::key!($($key $($optional)?)?),
                fields: &[$(
                    $crate::vocabulary::FieldSpec {
                        name: stringify!($field),
                        doc: concat!($($field_doc),+),
                        field_type: $crate::vocabulary::declare::field_type!($field_type),
                    }
                ),*],
            }
        ),+];

        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $ty($crate::vocabulary::Fact);

            impl $ty {
                /// The type of this fact.
                pub const TYPE: $crate::vocabulary::FactType =
                    $crate::vocabulary::FactType::numbered(BASE + counting::Count::$ty as u16);

                $crate::vocabulary::declare::constructor!($($key $($optional)?)?);

                $(
                    $(#[doc = $field_doc])+
                    #[must_use]
                    pub fn $field(
                        mut self,
                        value: $crate::vocabulary::declare::argument!($field_type),
                    ) -> Self {
                        self.0.set(
                            stringify!($field),
                            $crate::vocabulary::declare::value!($field_type, value),
                        );
                        self
                    }
                )*
            }

            impl From<$ty> for $crate::vocabulary::Fact {
                fn from(built: $ty) -> Self {
                    built.0
                }
            }
        )+
    };
}

macro_rules! nature {
    (act) => {
        $crate::vocabulary::Nature::Act
    };
    (event) => {
        $crate::vocabulary::Nature::Event
    };
}

macro_rules! key {
    () => {
        None
    };
    ($key:ident) => {
        Some($crate::vocabulary::KeySpec {
            name: stringify!($key),
            optional: false,
        })
    };
    ($key:ident optional) => {
        Some($crate::vocabulary::KeySpec {
            name: stringify!($key),
            optional: true,
        })
    };
}

macro_rules! constructor {
    () => {
        /// The bare fact; fields are added one by one.
        #[must_use]
        #[expect(
            clippy::new_without_default,
            reason = "an empty fact is no sensible default"
        )]
        pub fn new() -> Self {
            Self($crate::vocabulary::Fact::bare(Self::TYPE, None))
        }
    };
    ($key:ident) => {
        /// The bare fact for one key; fields are added one by one.
        #[must_use]
        pub fn new($key: impl Into<String>) -> Self {
            Self($crate::vocabulary::Fact::bare(
                Self::TYPE,
                Some($key.into()),
            ))
        }
    };
    ($key:ident optional) => {
        /// The bare fact, for one key or for none; fields are added one by one.
        #[must_use]
        pub fn new($key: Option<String>) -> Self {
            Self($crate::vocabulary::Fact::bare(Self::TYPE, $key))
        }
    };
}

macro_rules! field_type {
    (int) => {
        $crate::vocabulary::FieldType::Int
    };
    (flag) => {
        $crate::vocabulary::FieldType::Flag
    };
    (word) => {
        $crate::vocabulary::FieldType::Word
    };
    (words) => {
        $crate::vocabulary::FieldType::Words
    };
    (instant) => {
        $crate::vocabulary::FieldType::Instant
    };
    (date) => {
        $crate::vocabulary::FieldType::Date
    };
    (personal) => {
        $crate::vocabulary::FieldType::Personal
    };
    (evidence) => {
        $crate::vocabulary::FieldType::Evidence
    };
}

macro_rules! argument {
    (int) => { i64 };
    (flag) => { bool };
    (word) => { impl Into<String> };
    (words) => { impl IntoIterator<Item = impl Into<String>> };
    (instant) => { chrono::DateTime<chrono::FixedOffset> };
    (date) => { chrono::NaiveDate };
    (personal) => { impl Into<String> };
    (evidence) => { bool };
}

macro_rules! value {
    (int, $value:ident) => {
        $crate::vocabulary::Value::Int($value)
    };
    (flag, $value:ident) => {
        $crate::vocabulary::Value::Flag($value)
    };
    (word, $value:ident) => {
        $crate::vocabulary::Value::Word($value.into())
    };
    (words, $value:ident) => {
        $crate::vocabulary::Value::Words($value.into_iter().map(Into::into).collect())
    };
    (instant, $value:ident) => {
        $crate::vocabulary::Value::Instant($value)
    };
    (date, $value:ident) => {
        $crate::vocabulary::Value::Date($value)
    };
    (personal, $value:ident) => {
        $crate::vocabulary::Value::Personal(Some($crate::personal::Personal::new($value.into())))
    };
    (evidence, $value:ident) => {
        $crate::vocabulary::Value::Flag($value)
    };
}

pub(crate) use {argument, constructor, facts, field_type, key, nature, value};
