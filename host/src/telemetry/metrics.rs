//! The metrics, and the text that Prometheus reads them as.
//!
//! Each label has few values: routes, agents, models, tools and platforms are those of the program
//! and its configuration, outcomes those of an enumeration.

use std::sync::LazyLock;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use super::process::Process;

pub(crate) use prometheus_text::CONTENT_TYPE;

/// Times by their labels.
type Times<L> = Family<L, Histogram, fn() -> Histogram>;

/// A request of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Route {
    /// The route as it is written in the program; the page's files share one.
    pub(crate) route: String,
    pub(crate) method: &'static str,
    pub(crate) status: u16,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Agent {
    pub(crate) agent: String,
}

/// How an agent's run ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Ended {
    pub(crate) agent: String,
    pub(crate) outcome: &'static str,
}

/// A call of a model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Asked {
    pub(crate) model: String,
    pub(crate) outcome: &'static str,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Model {
    pub(crate) model: String,
}

/// Tokens that a model read (`input`) or wrote (`output`) for an agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Tokens {
    pub(crate) agent: String,
    pub(crate) model: String,
    pub(crate) direction: &'static str,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Tool {
    pub(crate) tool: String,
    pub(crate) outcome: &'static str,
}

/// A stage of a turn in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Stage {
    pub(crate) platform: String,
    pub(crate) stage: &'static str,
}

/// A turn in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Platform {
    pub(crate) platform: String,
}

/// How an evaluation ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Evaluated {
    pub(crate) outcome: &'static str,
}

/// A sample that was graded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Graded {
    pub(crate) verdict: &'static str,
}

/// All metrics.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) requests: Family<Route, Counter>,
    pub(crate) request_time: Times<Route>,
    pub(crate) in_flight: Gauge,
    pub(crate) runs_begun: Family<Agent, Counter>,
    pub(crate) runs_ended: Family<Ended, Counter>,
    pub(crate) run_time: Times<Agent>,
    pub(crate) fuel: Family<Agent, Counter>,
    pub(crate) asked: Family<Asked, Counter>,
    pub(crate) ask_time: Times<Model>,
    pub(crate) first_piece: Times<Model>,
    pub(crate) tokens: Family<Tokens, Counter>,
    pub(crate) tools: Family<Tool, Counter>,
    pub(crate) tool_time: Times<Tool>,
    pub(crate) turns: Family<Platform, Counter>,
    pub(crate) stage_time: Times<Stage>,
    pub(crate) stage_failures: Family<Stage, Counter>,
    pub(crate) records: Counter,
    pub(crate) commit_time: Histogram,
    pub(crate) evaluations: Gauge,
    pub(crate) evaluations_ended: Family<Evaluated, Counter>,
    pub(crate) samples: Family<Graded, Counter>,
    ready: Gauge<i64, AtomicI64>,
}

/// From a millisecond to two minutes and a half.
fn times() -> Histogram {
    Histogram::new([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
        150.0,
    ])
}

/// Registers metrics, and gives each back.
struct Register(Registry);

impl Register {
    fn add<M: Metric + Clone + Default>(&mut self, name: &str, help: &str) -> M {
        self.put(name, help, M::default())
    }

    fn times<L>(&mut self, name: &str, help: &str) -> Times<L>
    where
        Times<L>: Metric,
        L: Clone + std::hash::Hash + Eq,
    {
        self.put(name, help, Family::new_with_constructor(times as fn() -> Histogram))
    }

    fn put<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register(format!("june_{name}"), help, metric.clone());
        metric
    }
}

/// The metrics of this process.
pub(crate) fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);
    &METRICS
}

impl Metrics {
    fn new() -> Self {
        let mut to = Register(Registry::default());
        let metrics = Self {
            requests: to.add("http_requests", "Requests that were answered"),
            request_time: to.times("http_request_seconds", "Time until the end of an answer"),
            in_flight: to.add("http_requests_in_flight", "Requests that are being answered"),
            runs_begun: to.add("runs_begun", "Runs of agents that began"),
            runs_ended: to.add("runs_ended", "Runs of agents that ended"),
            run_time: to.times("run_seconds", "Time that runs of agents took"),
            fuel: to.add("run_fuel", "Fuel that agents used, their tools and programs included"),
            asked: to.add("model_calls", "Questions to models that came to an end"),
            ask_time: to.times("model_call_seconds", "Time until the end of a model's answer"),
            first_piece: to.times("model_first_piece_seconds", "Time until an answer begins"),
            tokens: to.add("model_tokens", "Tokens that models read and wrote"),
            tools: to.add("tool_calls", "Calls of tools that came to an end"),
            tool_time: to.times("tool_call_seconds", "Time that calls of tools took"),
            turns: to.add("turns", "Turns in chats that came to an end"),
            stage_time: to.times("turn_stage_seconds", "Time that stages of turns took"),
            stage_failures: to.add("turn_stage_failures", "Stages of turns that failed"),
            records: to.add("journal_records", "Records that are durable in the journal"),
            commit_time: to.put(
                "journal_commit_seconds",
                "Time until a group of records is durable",
                times(),
            ),
            evaluations: to.add("evaluations_running", "Evaluations that go on"),
            evaluations_ended: to.add("evaluations_ended", "Evaluations that ended"),
            samples: to.add("samples_graded", "Samples that were graded"),
            ready: to.add("ready", "Whether what is asked now is answered and recorded"),
            registry: Registry::default(),
        };
        let mut registry = to.0;
        registry.register_collector(Box::new(Process::new()));
        Self { registry, ..metrics }
    }

    /// A group of records is durable.
    pub(crate) fn committed(&self, records: usize, took: Duration) {
        self.records.inc_by(records as u64);
        self.commit_time.observe(took.as_secs_f64());
    }

    /// A sample was graded.
    pub(crate) fn graded(&self, verdict: &'static str) {
        self.samples.get_or_create(&Graded { verdict }).inc();
    }

    /// All of them, as Prometheus reads them.
    pub(crate) fn text(&self, ready: bool) -> String {
        self.ready.set(ready.into());
        let mut text = String::new();
        // Writing to a String has no error.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }
}

/// An evaluation that goes on. Dropped without an end, it was given up.
pub(crate) struct Evaluation(&'static str);

impl Evaluation {
    /// Begins now.
    pub(crate) fn begin() -> Self {
        metrics().evaluations.inc();
        Self("given-up")
    }

    /// Ends, all of it graded or not.
    pub(crate) fn end(mut self, graded: bool) {
        self.0 = if graded { "graded" } else { "failed" };
    }
}

impl Drop for Evaluation {
    fn drop(&mut self) {
        metrics().evaluations.dec();
        metrics().evaluations_ended.get_or_create(&Evaluated { outcome: self.0 }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_of_the_dashboard_is_exported() {
        // Of a family that has no member yet there is nothing to be seen.
        let metrics = Metrics::new();
        let name = || "a".to_owned();
        let route = Route { route: name(), method: "GET", status: 200 };
        metrics.requests.get_or_create(&route).inc();
        metrics.request_time.get_or_create(&route).observe(1.0);
        let agent = Agent { agent: name() };
        metrics.runs_begun.get_or_create(&agent).inc();
        metrics.run_time.get_or_create(&agent).observe(1.0);
        metrics.fuel.get_or_create(&agent).inc();
        metrics.runs_ended.get_or_create(&Ended { agent: name(), outcome: "answered" }).inc();
        let model = Model { model: name() };
        metrics.ask_time.get_or_create(&model).observe(1.0);
        metrics.first_piece.get_or_create(&model).observe(1.0);
        metrics.asked.get_or_create(&Asked { model: name(), outcome: "answered" }).inc();
        let tokens = Tokens { agent: name(), model: name(), direction: "input" };
        metrics.tokens.get_or_create(&tokens).inc();
        let tool = Tool { tool: name(), outcome: "answered" };
        metrics.tools.get_or_create(&tool).inc();
        metrics.tool_time.get_or_create(&tool).observe(1.0);
        metrics.turns.get_or_create(&Platform { platform: name() }).inc();
        let stage = Stage { platform: name(), stage: "hear" };
        metrics.stage_time.get_or_create(&stage).observe(1.0);
        metrics.stage_failures.get_or_create(&stage).inc();
        metrics.evaluations_ended.get_or_create(&Evaluated { outcome: "graded" }).inc();
        metrics.graded("passed");
        let text = metrics.text(true);
        let exported: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split(['{', ' ']).next())
            .collect();
        let dashboard = include_str!("../../../deploy/grafana/dashboards/june.json");
        let words = dashboard.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let asked: Vec<&str> = words
            .filter(|word| word.starts_with("june_") || word.starts_with("process_"))
            .collect();
        assert!(asked.len() > 30);
        for metric in asked {
            assert!(exported.contains(&metric), "{metric} is not in\n{text}");
        }
    }
}
