//! The two macros that declare parameters.

/// Declares a struct whose fields are keys of one table of the scenario file.
///
/// Each field has its doc comment, a default and, after `within`, a range:
///
/// ```
/// dhtlab_core::parameters! {
///     /// A ring of hosts with shortcuts (Watts and Strogatz 1998).
///     pub struct SmallWorld {
///         /// Nearest neighbours that a host is linked to.
///         pub neighbours: u32 = 4, within 2..=100;
///         /// Probability that a link is rewired.
///         pub rewire: f64 = 0.1, within 0.0..=1.0;
///     }
/// }
/// assert_eq!(SmallWorld::default().neighbours, 4);
/// ```
///
/// A field `link_latency` is the key `link-latency`.
#[macro_export]
macro_rules! parameters {
    (
        $(#[doc = $doc:literal])+
        pub struct $name:ident {
            $(
                $(#[doc = $field_doc:literal])+
                pub $field:ident : $type:ty = $default:expr $(, within $range:expr)? ;
            )*
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $(
                $(#[doc = $field_doc])+
                pub $field: $type,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::parameter::Parameters for $name {
            const DOC: &'static str = concat!($($doc),+);

            fn describe() -> Vec<$crate::parameter::Parameter> {
                use $crate::parameter::ParameterValue;
                vec![$($crate::parameter::Parameter {
                    key: stringify!($field).replace('_', "-"),
                    kind: <$type as ParameterValue>::kind(),
                    range: $crate::parameters!(@range $($range)?)
                        .or_else(<$type as ParameterValue>::bounds),
                    default: <$type as ParameterValue>::to_value(&$default),
                    doc: concat!($($field_doc),+),
                }),*]
            }

            fn read(
                table: &$crate::parameter::Table<'_>,
            ) -> Result<Self, $crate::parameter::ConfigError> {
                Ok(Self {
                    $($field: table.read::<$type>(
                        &stringify!($field).replace('_', "-"),
                        $default,
                        $crate::parameters!(@range $($range)?),
                    )?,)*
                })
            }

            fn write(&self) -> std::collections::BTreeMap<String, $crate::parameter::Value> {
                use $crate::parameter::ParameterValue;
                let mut values = std::collections::BTreeMap::new();
                $(
                    if let Some(value) = ParameterValue::to_value(&self.$field) {
                        values.insert(stringify!($field).replace('_', "-"), value);
                    }
                )*
                values
            }
        }
    };
    (@range) => { None };
    (@range $range:expr) => { Some($crate::parameter::Range::from($range)) };
}

/// Declares an enum whose variants are the possible words of a key.
///
/// ```
/// dhtlab_core::choices! {
///     /// The routing mode of a lookup.
///     pub enum Travel {
///         /// From node to node.
///         Recursive = "recursive",
///         /// The initiator asks each node.
///         Iterative = "iterative",
///     }
/// }
/// assert_eq!(Travel::Iterative.as_str(), "iterative");
/// ```
#[macro_export]
macro_rules! choices {
    (
        $(#[doc = $doc:literal])+
        pub enum $name:ident {
            $(
                $(#[doc = $variant_doc:literal])+
                $variant:ident = $word:literal,
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(
                $(#[doc = $variant_doc])+
                $variant,
            )+
        }

        impl $name {
            /// Every choice, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The words of all choices.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The words of all choices, each with its meaning.
            pub const MEANINGS: &'static [(&'static str, &'static str)] =
                &[$(($word, concat!($($variant_doc),+))),+];

            /// The word of this choice in a file.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::parameter::ParameterValue for $name {
            fn kind() -> $crate::parameter::ValueKind {
                $crate::parameter::ValueKind::Choice(Self::MEANINGS)
            }

            fn from_value(
                value: &$crate::parameter::Value,
            ) -> Result<Self, $crate::parameter::ValueError> {
                let word = value.as_str().ok_or(None)?;
                Self::ALL
                    .iter()
                    .copied()
                    .find(|choice| choice.as_str() == word)
                    .ok_or(None)
            }

            fn to_value(&self) -> Option<$crate::parameter::Value> {
                Some($crate::parameter::Value::String(self.as_str().to_owned()))
            }
        }
    };
}
