//! What clients know of the requests that they bring through the gate while it is being killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;
use tokio::task::JoinSet;

use crate::caller::{Answer, Caller, text};
use crate::house::Facts;

/// One request, as far as its clients were told.
#[derive(Debug)]
pub struct Journey {
    key: String,
    staged: Option<Value>,
    /// What shows that the approver saw it: taken before the first attempt to approve.
    shown: Option<String>,
    approved: bool,
    /// What the redemption granted.
    released: Option<Value>,
}

/// How often a fact is expected in the ledger.
type Expected = std::ops::RangeInclusive<usize>;

impl Journey {
    pub fn new(key: String) -> Self {
        Self { key, staged: None, shown: None, approved: false, released: None }
    }

    /// Goes on from where it is, each call under the key of before; false when an answer is missing
    /// or says that the server cannot.
    pub async fn go_on(&mut self, caller: &Caller) -> bool {
        while !self.is_at_its_end() {
            if !self.step(caller).await {
                return false;
            }
        }
        true
    }

    /// The next call, or the last one again; whether it was answered with a yes.
    pub async fn step(&mut self, caller: &Caller) -> bool {
        self.next(caller).await.is_some()
    }

    async fn next(&mut self, caller: &Caller) -> Option<()> {
        let Some(request) = &self.staged else {
            self.staged = Some(granted(caller.stage(&self.key).await?, 201)?);
            return Some(());
        };
        if !self.approved {
            if self.shown.is_none() {
                self.shown = caller.shown(request).await;
            }
            accepted(&caller.approve(request, self.shown.as_ref()?).await?, 303)?;
            self.approved = true;
        } else if self.released.is_none() {
            self.released = Some(granted(caller.redeem(request, &self.key).await?, 200)?);
        }
        Some(())
    }

    pub fn is_at_its_end(&self) -> bool {
        self.released.is_some()
    }

    /// What was acknowledged is in the ledger once; what was not, once at most.
    pub fn assert_recorded(&self, facts: &Facts) {
        let Some(request) = &self.staged else { return };
        let once = |acknowledged: bool| -> Expected { usize::from(acknowledged)..=1 };
        let expected = [
            ("RequestStaged", once(true)),
            ("ReviewRecorded", once(self.approved)),
            ("RequestApproved", once(self.approved)),
            ("ReleaseRedeemed", once(self.released.is_some())),
        ];
        let found = expected.map(|(fact, expected)| (fact, facts.count(request, fact), expected));
        let holds = found.iter().all(|(_, count, expected)| expected.contains(count));
        // A review that decides and its decision are one change.
        assert!(holds && found[1].1 == found[2].1, "{self:?}: {found:?}");
    }

    /// Everything again under the same keys is answered as before, and nothing else comes of it.
    pub async fn assert_settled(&self, caller: &Caller) {
        let (Some(request), Some(release)) = (&self.staged, &self.released) else {
            panic!("{self:?} is not at its end");
        };
        let again = granted(caller.stage(&self.key).await.unwrap(), 201).unwrap();
        assert_eq!(again["id"], request["id"], "{}", self.key);
        let again = granted(caller.redeem(request, &self.key).await.unwrap(), 200).unwrap();
        assert_eq!(&again, release, "{}", self.key);
        let other = caller.redeem(request, &format!("{}-other", self.key)).await.unwrap();
        assert_eq!(other.status, 409, "{}: {other:?}", self.key);
        let read = caller.read(text(&request["id"])).await.unwrap().granted().unwrap();
        assert_eq!(read["state"], "executing", "{}", self.key);
    }
}

/// An answer of this status, or that the server cannot just now: nothing else is expected.
fn accepted(answer: &Answer, status: u16) -> Option<()> {
    assert!(answer.status == status || answer.status == 503, "{answer:?}");
    (answer.status == status).then_some(())
}

fn granted(answer: Answer, status: u16) -> Option<Value> {
    accepted(&answer, status)?;
    answer.granted()
}

/// Clients at work.
pub struct Load {
    clients: JoinSet<Vec<Journey>>,
    ends: Arc<AtomicBool>,
    /// How many requests have come to their end, or to the server's.
    pub ended: Arc<AtomicUsize>,
}

impl Load {
    /// Starts so many clients, each bringing one request after the other through the gate until its
    /// server is gone or the load ends. `name` is in their keys.
    pub fn start(callers: &[Caller], name: &str, clients: usize) -> Self {
        let (ends, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut load = Self { clients: JoinSet::new(), ends, ended };
        for client in 0..clients {
            let caller = callers[client % callers.len()].clone();
            let (ends, ended) = (Arc::clone(&load.ends), Arc::clone(&load.ended));
            let name = format!("{name}-{client}");
            load.clients.spawn(async move {
                let mut journeys = Vec::new();
                while !ends.load(Ordering::SeqCst) {
                    let mut journey = Journey::new(format!("{name}-{}", journeys.len()));
                    let whole = journey.go_on(&caller).await;
                    journeys.push(journey);
                    ended.fetch_add(1, Ordering::SeqCst);
                    if !whole {
                        break;
                    }
                }
                journeys
            });
        }
        load
    }

    /// Returns once so many requests have come to their end.
    pub async fn reach(&self, ended: usize) {
        while self.ended.load(Ordering::SeqCst) < ended && !self.clients.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    /// Lets the clients end what they are at; gives what each was told.
    pub async fn end(self) -> Vec<Journey> {
        self.ends.store(true, Ordering::SeqCst);
        self.clients.join_all().await.into_iter().flatten().collect()
    }
}
