//! A value of the table as plain JSON, without losing what plain JSON cannot tell.
//!
//! Numbers keep every digit that DynamoDB has (38): they never go through a float. Binary values become base 64 text and sets
//! become arrays; that they were such is noted beside the value, by JSON pointer ([`Types`]), so that it can be read back whole.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A value of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// Values in their order.
    List(Vec<Value>),
    /// Values by name.
    Map(BTreeMap<String, Value>),
    /// Different texts, sorted.
    Texts(Vec<String>),
    /// Different numbers, sorted as text.
    Numbers(Vec<Number>),
    /// Different runs of bytes, sorted.
    Binaries(Vec<Vec<u8>>),
}

/// Most levels of an item, inclusive: the item itself, DynamoDB's limit of 32 levels of nesting, and what is in the innermost.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const MAX_LEVELS: usize = 1 + 32 + 1;

/// A number, digit by digit, as JSON writes numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(String);

/// A text that is no number of DynamoDB's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number")]
pub struct NotANumber;

impl Number {
    /// Takes a number as DynamoDB writes it. A plus sign, zeros that say nothing before the point and a bare point, which JSON does
    /// not know, are put right; every digit that says something stays.
    ///
    /// # Errors
    /// For anything else, and for more than 200 characters: 38 digits and an exponent of 130 take no more.
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        const MAX_LENGTH: usize = 200;
        if text.len() > MAX_LENGTH {
            return Err(NotANumber);
        }
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let at = rest.find(['.', 'e', 'E']).unwrap_or(rest.len());
        let (whole, rest) = rest.split_at(at);
        let whole = match whole.trim_start_matches('0') {
            "" if !whole.is_empty() || rest.starts_with('.') => "0",
            digits => digits,
        };
        let json = format!("{sign}{whole}{rest}");
        if is_json_number(&json) { Ok(Self(json)) } else { Err(NotANumber) }
    }

    /// The number's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number, where it is a count.
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }
}

/// The grammar of a JSON number. <https://www.rfc-editor.org/rfc/rfc8259#section-6>
fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)))
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.clone()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Binary(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
            Self::List(values) => values.serialize(serializer),
            Self::Map(values) => {
                let mut map = serializer.serialize_map(Some(values.len()))?;
                for (name, value) in values {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Numbers(numbers) => numbers.serialize(serializer),
            Self::Binaries(binaries) => {
                let mut list = serializer.serialize_seq(Some(binaries.len()))?;
                for bytes in binaries {
                    list.serialize_element(&STANDARD.encode(bytes))?;
                }
                list.end()
            }
        }
    }
}

/// What plain JSON cannot tell of values: JSON pointer → `B`, `SS`, `NS` or `BS`, as DynamoDB names the types.
/// <https://www.rfc-editor.org/rfc/rfc6901>
pub type Types = BTreeMap<String, String>;

/// The pointer of what is called `name` at `pointer`.
pub(crate) fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl Value {
    /// Notes in `types` what plain JSON does not tell of this value, which is at `pointer`.
    pub fn note_types(&self, pointer: &str, types: &mut Types) {
        let mut note = |name: &str| {
            types.insert(pointer.to_owned(), name.to_owned());
        };
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => {}
            Self::Binary(_) => note("B"),
            Self::Texts(_) => note("SS"),
            Self::Numbers(_) => note("NS"),
            Self::Binaries(_) => note("BS"),
            Self::List(values) => {
                for (place, value) in values.iter().enumerate() {
                    value.note_types(&format!("{pointer}/{place}"), types);
                }
            }
            Self::Map(values) => {
                for (name, value) in values {
                    value.note_types(&below(pointer, name), types);
                }
            }
        }
    }

    /// Reads plain JSON, which is at `pointer`, with what `types` says of it.
    ///
    /// # Errors
    /// When it is no JSON, has more levels than [`MAX_LEVELS`], or is not what `types` says.
    pub fn read(json: &RawValue, pointer: &str, types: &Types) -> Result<Self, Unreadable> {
        Self::read_at(json.get(), pointer, types, 0)
    }

    fn read_at(json: &str, pointer: &str, types: &Types, depth: usize) -> Result<Self, Unreadable> {
        if depth >= MAX_LEVELS {
            return Err(Unreadable::new(pointer, "nested too deeply"));
        }
        let no_json = |_why: serde_json::Error| Unreadable::new(pointer, "not JSON");
        let noted = types.get(pointer).map(String::as_str);
        match (json.bytes().next(), noted) {
            (Some(b'n'), None) => serde_json::from_str::<()>(json).map(|()| Self::Null).map_err(no_json),
            (Some(b't' | b'f'), None) => serde_json::from_str(json).map(Self::Bool).map_err(no_json),
            (Some(b'"'), None) => serde_json::from_str(json).map(Self::Text).map_err(no_json),
            (Some(b'"'), Some("B")) => {
                let text: String = serde_json::from_str(json).map_err(no_json)?;
                Ok(Self::Binary(binary(&text, pointer)?))
            }
            (Some(b'['), Some("SS")) => serde_json::from_str(json).map(Self::Texts).map_err(no_json),
            (Some(b'['), Some("BS")) => {
                let texts: Vec<String> = serde_json::from_str(json).map_err(no_json)?;
                texts.iter().map(|text| binary(text, pointer)).collect::<Result<_, _>>().map(Self::Binaries)
            }
            (Some(b'['), Some("NS")) => {
                let numbers: Vec<&RawValue> = serde_json::from_str(json).map_err(no_json)?;
                numbers.iter().map(|raw| number(raw.get(), pointer)).collect::<Result<_, _>>().map(Self::Numbers)
            }
            (Some(b'['), None) => {
                let values: Vec<&RawValue> = serde_json::from_str(json).map_err(no_json)?;
                let values = values
                    .iter()
                    .enumerate()
                    .map(|(place, raw)| Self::read_at(raw.get(), &format!("{pointer}/{place}"), types, depth + 1));
                values.collect::<Result<_, _>>().map(Self::List)
            }
            (Some(b'{'), None) => {
                let values: BTreeMap<String, &RawValue> = serde_json::from_str(json).map_err(no_json)?;
                let values = values.into_iter().map(|(name, raw)| {
                    let pointer = below(pointer, &name);
                    Ok((name, Self::read_at(raw.get(), &pointer, types, depth + 1)?))
                });
                values.collect::<Result<_, _>>().map(Self::Map)
            }
            (Some(b'-' | b'0'..=b'9'), None) => number(json, pointer).map(Self::Number),
            (_, _) => Err(Unreadable::new(pointer, "not what its type says")),
        }
    }
}

/// A value that cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the value at {pointer:?} is {reason}")]
pub struct Unreadable {
    pointer: String,
    reason: &'static str,
}

impl Unreadable {
    fn new(pointer: &str, reason: &'static str) -> Self {
        Self { pointer: pointer.to_owned(), reason }
    }
}

fn binary(text: &str, pointer: &str) -> Result<Vec<u8>, Unreadable> {
    STANDARD.decode(text).map_err(|_why| Unreadable::new(pointer, "not base 64"))
}

fn number(text: &str, pointer: &str) -> Result<Number, Unreadable> {
    Number::parse(text).map_err(|_why| Unreadable::new(pointer, "not a number"))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Option<String> {
        Number::parse(text).ok().map(|number| number.as_str().to_owned())
    }

    #[test]
    fn a_number_keeps_every_digit_and_is_written_as_json_writes_it() {
        let long = "99999999999999999999999999999999999999";
        for (text, json) in [
            ("0", "0"),
            ("-0", "-0"),
            ("+7", "7"),
            ("007", "7"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("1.50", "1.50"),
            ("1E-130", "1E-130"),
            ("9.9999999999999999999999999999999999999E+125", "9.9999999999999999999999999999999999999E+125"),
            ("1e400", "1e400"),
            (long, long),
        ] {
            assert_eq!(parsed(text).as_deref(), Some(json), "{text}");
        }
        for bad in
            ["", "-", "+", ".", "1.", "e5", "1e", "--1", "0x10", "1 ", "NaN", "Infinity", "1,5", &"1".repeat(201)]
        {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_plain_json_cannot_tell_is_noted_by_pointer() {
        let value = Value::Map(BTreeMap::from([
            ("a/b".to_owned(), Value::Binary(vec![1, 2])),
            ("n~".to_owned(), Value::List(vec![Value::Null, Value::Texts(vec!["x".to_owned()])])),
        ]));
        let mut types = Types::new();
        value.note_types("/new", &mut types);
        assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"a/b":"AQI=","n~":[null,["x"]]}"#);
        let noted: Vec<_> = types.iter().map(|(pointer, name)| (pointer.as_str(), name.as_str())).collect();
        assert_eq!(noted, [("/new/a~1b", "B"), ("/new/n~0/1", "SS")]);
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let read = |json: String| Value::read(&RawValue::from_string(json).unwrap(), "", &Types::new());
        assert!(read(nested(MAX_LEVELS)).is_ok());
        assert!(read(nested(MAX_LEVELS + 1)).is_err());
    }

    pub(crate) fn number() -> impl Strategy<Value = Number> {
        "-?(0|[1-9][0-9]{0,37})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?".prop_map(|text| Number::parse(&text).unwrap())
    }

    pub(crate) fn value() -> impl Strategy<Value = Value> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..6);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            number().prop_map(Value::Number),
            any::<String>().prop_map(Value::Text),
            bytes().prop_map(Value::Binary),
            prop::collection::btree_set(any::<String>(), 1..4).prop_map(|set| Value::Texts(set.into_iter().collect())),
            prop::collection::btree_set(number(), 1..4).prop_map(|set| Value::Numbers(set.into_iter().collect())),
            prop::collection::btree_set(bytes(), 1..4).prop_map(|set| Value::Binaries(set.into_iter().collect())),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                prop::collection::btree_map("[a-z/~\"é]{0,4}", inner, 0..5).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_went(value in value()) {
            let mut types = Types::new();
            value.note_types("/new", &mut types);
            let json = RawValue::from_string(serde_json::to_string(&value).unwrap()).unwrap();
            prop_assert_eq!(Value::read(&json, "/new", &types).unwrap(), value);
        }

        #[test]
        fn no_text_makes_a_number_panic(text in any::<String>()) {
            if let Some(number) = parsed(&text) {
                prop_assert!(is_json_number(&number));
            }
        }
    }
}
