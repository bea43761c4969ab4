//! What an agent spent on a sample.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an agent spent on one sample; what is not known is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Effort {
    /// Tokens that the models were given, over all calls.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input_tokens: Option<u64>,
    /// Tokens that the models wrote.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output_tokens: Option<u64>,
    /// Calls of tools.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub calls: Option<u64>,
    /// Rounds: how often a model was asked and answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rounds: Option<u64>,
    /// Programs that it ran.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub programs: Option<u64>,
    /// Wall-clock milliseconds until the answer was there. Not the same in every run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time_to_solution_ms: Option<f64>,
    /// Fuel that the agent and its programs used; the grading is not in it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fuel: Option<u64>,
}

/// A measure over those samples for which it is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Average {
    /// How many samples these are.
    pub samples: usize,
    /// The mean.
    pub mean: f64,
    /// The median; of two in the middle, their mean.
    pub median: f64,
}

impl Effort {
    /// The measures' names and values, as they stand in records.
    pub fn measures(&self) -> [(&'static str, Option<f64>); 7] {
        let count = |value: Option<u64>| value.map(|value| value as f64);
        [
            ("input_tokens", count(self.input_tokens)),
            ("output_tokens", count(self.output_tokens)),
            ("calls", count(self.calls)),
            ("rounds", count(self.rounds)),
            ("programs", count(self.programs)),
            ("time_to_solution_ms", self.time_to_solution_ms),
            ("fuel", count(self.fuel)),
        ]
    }
}

/// Adds up what was spent on samples: each measure that at least one of them has.
pub fn averages<'a>(efforts: impl Iterator<Item = &'a Effort>) -> BTreeMap<&'static str, Average> {
    let mut values: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    for effort in efforts {
        for (name, value) in effort.measures() {
            // What a file says may be no number at all.
            if let Some(value) = value.filter(|value| value.is_finite()) {
                values.entry(name).or_default().push(value);
            }
        }
    }
    let average = |mut values: Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        let (samples, middle) = (values.len(), values.len() / 2);
        let median = match samples % 2 {
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Average { samples, mean: values.iter().sum::<f64>() / samples as f64, median }
    };
    values.into_iter().map(|(name, values)| (name, average(values))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_medians() {
        let effort = |calls, fuel| Effort { calls, fuel, ..Effort::default() };
        let efforts = [effort(Some(1), None), effort(Some(2), Some(7)), effort(Some(6), None)];
        let found = averages(efforts.iter());
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["calls", "fuel"]);
        assert_eq!(found["calls"], Average { samples: 3, mean: 3.0, median: 2.0 });
        assert_eq!(averages(efforts[..2].iter())["calls"].median, 1.5);
        assert!(averages([].iter()).is_empty());
    }

    #[test]
    fn what_is_not_known_is_not_written() {
        let effort = Effort { rounds: Some(2), ..Effort::default() };
        let text = serde_json::to_string(&effort).unwrap();
        assert_eq!(text, r#"{"rounds":2}"#);
        assert_eq!(serde_json::from_str::<Effort>(&text).unwrap(), effort);
    }
}
