//! Lists of requests: the inbox and the history.

use std::collections::HashSet;

use domain::{Actor, Authority, Digest, Request, RequestId, StateName, Timestamp, Verdict, quorum};
use store::House;
use store::read::{Order, RequestQuery, Stored};

use crate::caller::PersonCaller;
use crate::policy::People;
use crate::query::request::may_review_break_glass;
use crate::query::{Names, only_agents_of};
use crate::view::{BrokenGlassRow, HistoryView, InboxView, RequestRow, Viewer};
use crate::{Failure, Service};

/// Rows of one group of the inbox.
const INBOX_ROWS: u32 = 100;
/// Pending requests that are looked at where none of the first [`INBOX_ROWS`] waits for the viewer.
const LOOKED_AT: u32 = 1000;
/// Rows of one page of the history.
const HISTORY_ROWS: u32 = 50;
/// How long something that ended stays in the inbox.
const DONE_S: i64 = 24 * 3600;

/// Which part of the history to show.
#[derive(Clone, Debug, Default)]
pub struct HistoryQuery {
    pub state: Option<StateName>,
    pub text: String,
    pub cursor: Option<String>,
}

impl Service {
    /// Who is looking, for the header of every page.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn viewer(&self, caller: &PersonCaller) -> Result<Viewer, Failure> {
        let house = self.house().await?;
        let Pending { mut requests, all_looked_at, .. } = self.pending(caller, &house).await?;
        let owed = self.looked_at(caller, &house, self.owing(caller, &house)).await?;
        let names = Names::of(&house);
        let glass = owed.iter().filter_map(|(stored, _)| broken(&names, stored)).collect();
        requests.extend(owed);
        let turns = requests.iter().filter(|(stored, authority)| {
            is_your_turn(caller, &stored.request, authority, self.now())
        });
        let waiting: HashSet<RequestId> = turns.map(|(stored, _)| stored.request.id).collect();
        Ok(Viewer {
            person: caller.id(),
            name: caller.name().to_owned(),
            reviewer: caller.is_approver(),
            auditor: caller.is_auditor(),
            administrator: caller.is_administrator(),
            waiting: waiting.len() as u64,
            more: !all_looked_at,
            freezes: house.freezes().iter().map(|freeze| names.freeze(freeze)).collect(),
            broken_glass: glass,
        })
    }

    /// What was approved by break-glass and still waits for a second person.
    fn owing(&self, caller: &PersonCaller, house: &House) -> RequestQuery {
        let agents = only_agents_of(caller, house);
        RequestQuery { agents, owes_review: true, limit: INBOX_ROWS, ..RequestQuery::default() }
    }

    /// What is pending, the most urgent first. However much waits for others before it, whoever is
    /// waited for hears of it.
    async fn pending(&self, caller: &PersonCaller, house: &House) -> Result<Pending, Failure> {
        let query = |limit| RequestQuery {
            states: vec![StateName::Pending],
            agents: only_agents_of(caller, house),
            order: Order::MostUrgentFirst,
            limit,
            ..RequestQuery::default()
        };
        let now = self.now();
        let turn = |(stored, authority): &(Stored, Authority)| {
            is_your_turn(caller, &stored.request, authority, now)
        };
        let mut limit = INBOX_ROWS;
        let mut requests = self.looked_at(caller, house, query(limit + 1)).await?;
        if requests.len() > limit as usize && caller.is_approver() && !requests.iter().any(turn) {
            limit = LOOKED_AT;
            requests = self.looked_at(caller, house, query(limit + 1)).await?;
        }
        let all_looked_at = requests.len() <= limit as usize;
        requests.truncate(limit as usize);
        let (looked_at, mut of_others) = (requests.len(), 0);
        requests.retain(|request| {
            of_others += u32::from(!turn(request));
            turn(request) || of_others <= INBOX_ROWS
        });
        let more = !all_looked_at || requests.len() < looked_at;
        Ok(Pending { requests, all_looked_at, more })
    }

    /// What waits for the person, what waits for others, and what has just ended.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn inbox(&self, caller: &PersonCaller) -> Result<InboxView, Failure> {
        let now = self.now();
        let house = self.house().await?;
        let agents = only_agents_of(caller, &house);
        let Pending { requests: pending, all_looked_at, more } =
            self.pending(caller, &house).await?;
        let running = RequestQuery {
            states: vec![
                StateName::ChangesRequested,
                StateName::Approved,
                StateName::Executing,
                StateName::OutcomeUnknown,
            ],
            agents: agents.clone(),
            order: Order::LastChangedFirst,
            limit: INBOX_ROWS,
            ..RequestQuery::default()
        };
        let ended = RequestQuery {
            states: StateName::ALL.into_iter().filter(|state| is_done(*state)).collect(),
            agents,
            changed_since: Some(now.plus_seconds(-DONE_S)),
            order: Order::LastChangedFirst,
            limit: INBOX_ROWS,
            ..RequestQuery::default()
        };
        let mut done = Vec::new();
        let mut waiting = Vec::new();
        let mut your_turn = Vec::new();
        let owed = self.looked_at(caller, &house, self.owing(caller, &house)).await?;
        let running = self.looked_at(caller, &house, running).await?;
        let ended = self.looked_at(caller, &house, ended).await?;
        let names = Names::of(&house);
        let mut seen = HashSet::new();
        for (stored, authority) in pending.into_iter().chain(owed).chain(running).chain(ended) {
            if !seen.insert(stored.request.id) {
                continue;
            }
            let turn = is_your_turn(caller, &stored.request, &authority, now);
            let row = self.row(caller, &names, &authority, stored);
            if turn {
                your_turn.push(row);
            // A timer that has fired counts, whether or not the sweeper has run.
            } else if is_done(row.state) {
                done.push(row);
            } else {
                waiting.push(row);
            }
        }
        done.sort_by_key(|row| std::cmp::Reverse(row.changed_at));
        let fingerprint = fingerprint(your_turn.iter().chain(&waiting).chain(&done));
        Ok(InboxView { now, your_turn, waiting, done, all_looked_at, more, fingerprint })
    }

    /// Past and present requests, newest first.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn history(
        &self,
        caller: &PersonCaller,
        query: HistoryQuery,
    ) -> Result<HistoryView, Failure> {
        let house = self.house().await?;
        let text = query.text.trim();
        let search = RequestQuery {
            states: query.state.into_iter().collect(),
            agents: only_agents_of(caller, &house),
            text: (!text.is_empty()).then(|| text.to_owned()),
            before: query.cursor.as_deref().and_then(read_cursor),
            limit: HISTORY_ROWS + 1,
            ..RequestQuery::default()
        };
        let names = Names::of(&house);
        let found = self.looked_at(caller, &house, search).await?.into_iter();
        let mut rows: Vec<RequestRow> =
            found.map(|(stored, authority)| self.row(caller, &names, &authority, stored)).collect();
        let more = rows.len() > HISTORY_ROWS as usize;
        rows.truncate(HISTORY_ROWS as usize);
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| cursor(row.staged_at, row.id));
        let counts = if caller.sees_all() { self.store.counts().await? } else { Vec::new() };
        Ok(HistoryView {
            now: self.now(),
            state: query.state,
            query: text.to_owned(),
            rows,
            next,
            counts,
        })
    }

    /// Requests, each with the authority of the viewer alone.
    async fn looked_at(
        &self,
        caller: &PersonCaller,
        house: &House,
        query: RequestQuery,
    ) -> Result<Vec<(Stored, Authority)>, Failure> {
        let now = self.now();
        let mut found = Vec::new();
        for stored in self.store.list(query).await? {
            let people = People::Only(caller.id());
            let authority = self.authority(house, &stored.request, now, people).await?;
            found.push((stored, authority));
        }
        Ok(found)
    }

    fn row(
        &self,
        caller: &PersonCaller,
        names: &Names,
        authority: &Authority,
        stored: Stored,
    ) -> RequestRow {
        let now = self.now();
        let request = &stored.request;
        let state = request.state_at(now).name();
        let explanation = quorum::explain(request, authority);
        let filled =
            explanation.requirements.iter().map(|need| need.filled_by.len()).sum::<usize>();
        let own = request.review_of(caller.id());
        let you_owe = may_review_break_glass(caller, request, authority);
        let denied = |verdict| verdict == Verdict::Deny;
        let deciding: Vec<_> = if request.standing().any(|review| denied(review.verdict)) {
            request.standing().filter(|review| denied(review.verdict)).collect()
        } else {
            request.approvals().collect()
        };
        RequestRow {
            id: request.id,
            effect: stored.effect.clone(),
            kind: request.kind.clone(),
            agent: match request.staged_by {
                Actor::Person(_) => names.actor(request.staged_by),
                Actor::Agent(_) | Actor::System => names.agent(request.agent).name,
            },
            environment: request.environment.clone(),
            risk: request.risk.level,
            state,
            staged_at: request.staged_at,
            due_at: match request.second_review_due().filter(|_| you_owe) {
                Some(due) => Some(due),
                None if state.is_live() => request.state_ends_at(),
                None => None,
            },
            changed_at: stored.changed_at,
            decided_by: deciding.iter().map(|review| names.person(review.reviewer)).collect(),
            filled_seats: u32::try_from(filled).unwrap_or(u32::MAX),
            seats: request.requirements.iter().map(|need| need.seats).sum(),
            not_you: authority.ineligible(request, caller.id()),
            amended_since_you: request
                .reviews
                .iter()
                .any(|review| review.reviewer == caller.id() && review.revision < request.revision),
            your_verdict: own.map(|review| review.verdict),
            you_owe_second_review: you_owe,
            broken_glass: request.break_glass.is_some(),
        }
    }
}

/// What is pending, as far as a list tells of it.
struct Pending {
    requests: Vec<(Stored, Authority)>,
    /// No other request waits for the viewer.
    all_looked_at: bool,
    /// More are pending than these.
    more: bool,
}

/// A broken glass that still waits for a second person.
fn broken(names: &Names, stored: &Stored) -> Option<BrokenGlassRow> {
    let review_by = stored.request.second_review_due()?;
    let broken = stored.request.break_glass.as_ref()?;
    let (id, by, effect) = (stored.request.id, names.person(broken.by), stored.effect.clone());
    Some(BrokenGlassRow { id, effect, by, at: broken.at, review_by })
}

/// Whether somebody waits for this person to look at the request.
fn is_your_turn(
    caller: &PersonCaller,
    request: &Request,
    authority: &Authority,
    now: Timestamp,
) -> bool {
    let undecided = request.state_at(now).name() == StateName::Pending
        && request.review_of(caller.id()).is_none()
        && authority.ineligible(request, caller.id()).is_none();
    undecided || may_review_break_glass(caller, request, authority)
}

/// Nothing to wait for or to worry about: an unknown outcome is neither.
fn is_done(state: StateName) -> bool {
    !state.is_live() && state != StateName::OutcomeUnknown
}

/// Moves whenever a row appears, goes, or changes.
fn fingerprint<'a>(rows: impl Iterator<Item = &'a RequestRow>) -> String {
    let lines = rows.map(|row| format!("{} {} {}\n", row.id, row.state.as_str(), row.changed_at));
    Digest::of(lines.collect::<String>().as_bytes()).hex().chars().take(16).collect()
}

/// A keyset cursor: opaque to clients, checked when it comes back.
pub(super) fn cursor(staged_at: Timestamp, id: RequestId) -> String {
    format!("{}_{id}", staged_at.micros())
}

pub(super) fn read_cursor(text: &str) -> Option<(Timestamp, RequestId)> {
    let (at, id) = text.split_once('_')?;
    Some((Timestamp::from_micros(at.parse().ok()?)?, id.parse().ok()?))
}
