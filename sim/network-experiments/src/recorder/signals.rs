//! What the recorder does with each signal.

use super::{LOOKUP, Recorder};
use dhtlab_core::network::NetworkState;
use dhtlab_core::network::observer::{
    LookupResult, Misbehaviour, Observer, PayloadKind, RouteEnd, Signal,
};
use dhtlab_core::overlay::{Application, GroundTruth, Layout, Node};
use dhtlab_format::recording::{RouteOutcome, SybilAction, What};

impl<P: GroundTruth, A: Application> Observer<P, A> for Recorder {
    fn on(&mut self, signal: &Signal, state: &NetworkState<P, A>) {
        let now = state.now();
        match *signal {
            Signal::MeasuringBegins => self.push(now, What::Measure),
            Signal::Started(node) => self.started(node, state),
            Signal::Joined(node) => {
                let node = self.number(node);
                self.push(now, What::Join { node });
            }
            Signal::Stopped {
                node, gracefully, ..
            } => {
                self.departed(now, node, gracefully);
                self.count(state);
            }
            Signal::OverlayRan(node) => {
                self.seen_at(now, node, &state.place(node));
                self.knows(node, state);
            }
            Signal::ApplicationRan(node) => self.application_ran(node, state),
            Signal::MessageSent(ref sent) => self.sent(now, sent),
            Signal::MessageReturned { from, to, kind } if !kind.is_empty() => {
                let (from, to) = (self.number(from), self.number(to));
                let kind = kind.into();
                self.push(now, What::Returned { from, to, kind });
            }
            Signal::RouteBegins {
                route,
                from,
                key,
                payload,
            } => {
                let kind = match payload {
                    PayloadKind::Lookup => LOOKUP,
                    PayloadKind::Message(kind) => kind,
                    PayloadKind::Query => "",
                };
                if self.routes.len() <= route.index() {
                    self.routes.resize(route.index() + 1, None);
                }
                let is_shown = !kind.is_empty() && !self.recording.cut;
                self.routes[route.index()] = is_shown.then_some(self.begun);
                if is_shown {
                    self.begin(now, key, Some(from), kind, || {
                        P::Layout::locate(state.shared(), &key)
                    });
                }
            }
            Signal::LookupWithoutMember(key) => {
                let route = self.begun;
                self.begin(now, key, None, LOOKUP, || {
                    P::Layout::locate(state.shared(), &key)
                });
                let end = What::End {
                    route,
                    outcome: RouteOutcome::Failed,
                    node: None,
                    root: None,
                };
                self.push(now, end);
            }
            Signal::RouteTimedOut { route, from, to } => {
                if let Some(route) = self.route_number(route) {
                    let (from, to) = (self.number(from), self.number(to));
                    self.push(now, What::Timeout { route, from, to });
                }
            }
            Signal::Misbehaved {
                route,
                node,
                misbehaviour,
            } => {
                if let Some(route) = self.route_number(route) {
                    let node = self.number(node);
                    let action = match misbehaviour {
                        Misbehaviour::Drop => SybilAction::Drop,
                        Misbehaviour::Misroute => SybilAction::Misroute,
                    };
                    let misbehave = What::Misbehave {
                        route,
                        node,
                        action,
                    };
                    self.push(now, misbehave);
                }
            }
            Signal::RouteEnded { route, at, end } => {
                if let Some(route) = self.route_number(route) {
                    let (outcome, root) = outcome(&end);
                    let number = |node| self.number(node);
                    let (node, root) = (at.map(number), root.map(number));
                    let end = What::End {
                        route,
                        outcome,
                        node,
                        root,
                    };
                    self.push(now, end);
                }
            }
            _ => {}
        }
    }
}

/// The outcome of a route, and the true root of a lookup.
fn outcome(end: &RouteEnd) -> (RouteOutcome, Option<Node>) {
    match end {
        RouteEnd::Delivered => (RouteOutcome::Delivered, None),
        RouteEnd::Absorbed => (RouteOutcome::Absorbed, None),
        RouteEnd::Lost => (RouteOutcome::Failed, None),
        RouteEnd::Lookup(end) => {
            let outcome = match end.result {
                LookupResult::Correct { .. } => RouteOutcome::Ok,
                LookupResult::Wrong => RouteOutcome::Wrong,
                LookupResult::Failed { .. } => RouteOutcome::Failed,
            };
            (outcome, end.root)
        }
    }
}
