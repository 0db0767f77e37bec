//! JSON from untrusted files: no name twice in an object, bounded depth (128, the parser's), and fields that say what is wrong with them.

use crate::error::{ModelError, shortened};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// A value in which every object names each member once.
struct Unambiguous(Value);

impl<'de> de::Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Self)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Unambiguous(value) = members.next_value()?;
            if map.contains_key(&name) {
                return Err(twice(&name));
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// Parses an object; names that appear twice, in it or in any object inside, are refused.
pub fn object(path: &Path, bytes: &[u8]) -> Result<Map<String, Value>, ModelError> {
    match serde_json::from_slice(bytes) {
        Ok(Unambiguous(Value::Object(map))) => Ok(map),
        Ok(_) => Err(ModelError::format(
            path,
            "it holds something else than one JSON object",
            "check that it is the right file",
        )),
        Err(error) => Err(malformed(path, &error)),
    }
}

/// Refuses JSON in which an object names a member twice. Keeps nothing of the content but the names of the objects that it is in.
pub fn unambiguous(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let parsed = serde_json::from_slice::<Names>(bytes);
    parsed
        .map(|Names| ())
        .map_err(|error| malformed(path, &error))
}

fn malformed(path: &Path, error: &serde_json::Error) -> ModelError {
    let rule = format!("its JSON is refused: {error}");
    let fix = "the file may be cut short or damaged; fetch it again";
    ModelError::format(path, rule, fix)
}

/// A value of which only the names are looked at.
struct Names;

impl<'de> de::Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Names {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if names.contains(&name) {
                return Err(twice(&name));
            }
            names.insert(name);
            members.next_value::<Self>()?;
        }
        Ok(self)
    }
}

fn twice<E: de::Error>(name: &str) -> E {
    E::custom(format!("the name `{}` appears twice", shortened(name)))
}

/// The members of an object, asked by name.
pub struct Fields<'a> {
    /// The file, for errors.
    pub path: &'a Path,
    /// The object.
    pub map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// A member that is there and not null.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, rule: String) -> ModelError {
        let value = match self.map.get(name) {
            Some(value) => value.to_string(),
            None => "missing".into(),
        };
        ModelError::field(self.path, name, value, rule, "correct the file")
    }

    /// An integer from `least` to `most`; `default` if it is absent and there is a default.
    pub fn integer(
        &self,
        name: &str,
        (least, most): (usize, usize),
        default: Option<usize>,
    ) -> Result<usize, ModelError> {
        let value = match (self.get(name), default) {
            (None, Some(default)) => Some(default),
            (None, None) => None,
            (Some(value), _) => value.as_u64().and_then(|v| usize::try_from(v).ok()),
        };
        value
            .filter(|value| (least..=most).contains(value))
            .ok_or_else(|| {
                self.wrong(
                    name,
                    format!("it must be an integer from {least} to {most}"),
                )
            })
    }

    /// A number from `least` to `most`.
    pub fn number(
        &self,
        name: &str,
        (least, most): (f64, f64),
        default: Option<f64>,
    ) -> Result<f64, ModelError> {
        let value = match self.get(name) {
            None => default,
            Some(value) => value.as_f64(),
        };
        value
            .filter(|value| (least..=most).contains(value))
            .ok_or_else(|| self.wrong(name, format!("it must be a number from {least} to {most}")))
    }

    /// True or false.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, ModelError> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(self.wrong(name, "it must be true or false".into())),
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, ModelError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "it must be a string".into())),
        }
    }

    /// An object inside.
    pub fn object(&self, name: &str) -> Result<Option<Fields<'a>>, ModelError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields { map, ..*self })),
            Some(_) => Err(self.wrong(name, "it must be an object".into())),
        }
    }

    /// Non-negative integers below `limit`: one or a list of them.
    pub fn integers(&self, name: &str, limit: usize) -> Result<Vec<usize>, ModelError> {
        let rule = || {
            self.wrong(
                name,
                format!("each number in it must be an integer below {limit}"),
            )
        };
        let one = |value: &Value| {
            let number = value.as_u64().and_then(|value| usize::try_from(value).ok());
            number.filter(|&number| number < limit).ok_or_else(rule)
        };
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => list.iter().map(one).collect(),
            Some(value) => Ok(vec![one(value)?]),
        }
    }
}
