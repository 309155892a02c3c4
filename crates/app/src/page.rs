//! What can be shown: one variant a page, with everything it needs.

use domain::{FreezeId, SecondVerdict, Timestamp, Verdict, kind};
use service::view::{
    AgentsView, FreezesView, HistoryView, InboxView, KindsView, LedgerView, PeopleView, PolicyView,
    ReplayView, RequestView, SettingsView, Viewer, WebhooksView,
};

use crate::text::spelled;
use crate::wording::risk;

/// What stands around every page.
#[derive(Clone, Debug)]
pub struct Chrome {
    /// The nonce of this answer's content security policy.
    pub nonce: String,
    pub assets: Assets,
    /// Who looks; nobody before sign-in.
    pub viewer: Option<Viewer>,
    pub now: Timestamp,
    /// Throwaway data: says so on every page.
    pub demo: bool,
}

/// The URL paths of what a page loads. Empty script paths mean that no script is named.
#[derive(Clone, Debug, Default)]
pub struct Assets {
    pub css: String,
    pub boot: String,
    pub js: String,
    pub wasm: String,
    pub favicon: String,
}

/// A page with its data.
#[derive(Clone, Debug)]
pub enum Page {
    SignIn(SignInPage),
    SignInLink {
        token: String,
        person: String,
    },
    Inbox(InboxView),
    Request(Box<RequestPage>),
    History(HistoryView),
    Ledger(LedgerView),
    Agents(AgentsView),
    People(Box<PeoplePage>),
    Kinds(Box<KindsPage>),
    Policy(Box<PolicyPage>),
    Freezes(Box<FreezesPage>),
    /// A secret that is shown once.
    Secret {
        title: String,
        explanation: String,
        value: String,
        back_to: String,
        back_label: String,
    },
    Settings(SettingsPage),
    Webhooks(Box<WebhooksPage>),
    Problem(ProblemPage),
}

impl Page {
    /// Why what was sent was not done, a line each.
    pub fn problems(&self) -> Vec<&str> {
        fn text(draft: &TextDraft) -> Vec<&str> {
            draft.problems.iter().map(String::as_str).collect()
        }
        match self {
            Self::SignIn(page) => page.error.as_deref().into_iter().collect(),
            Self::Request(page) => page.draft.iter().map(|draft| &*draft.problem).collect(),
            Self::People(page) => {
                page.draft.iter().flat_map(|draft| &draft.problems).map(String::as_str).collect()
            }
            Self::Kinds(page) => page.draft.as_ref().map(text).unwrap_or_default(),
            Self::Policy(page) => page.draft.as_ref().map(text).unwrap_or_default(),
            Self::Freezes(page) => page.draft.iter().map(|draft| &*draft.problem).collect(),
            Self::Settings(page) => page.problem.as_deref().into_iter().collect(),
            Self::Webhooks(page) => page.draft.iter().map(|draft| &*draft.problem).collect(),
            Self::Problem(page) => vec![&page.detail],
            Self::SignInLink { .. }
            | Self::Inbox(_)
            | Self::History(_)
            | Self::Ledger(_)
            | Self::Agents(_)
            | Self::Secret { .. } => Vec::new(),
        }
    }
}

/// The sign-in form, as it was filled in.
#[derive(Clone, Debug, Default)]
pub struct SignInPage {
    /// Where to go afterwards.
    pub next: Option<String>,
    pub name: String,
    pub error: Option<String>,
}

/// The viewer's own settings: why a change was refused, or that it was saved.
#[derive(Clone, Debug)]
pub struct SettingsPage {
    pub view: SettingsView,
    pub problem: Option<String>,
    pub saved: bool,
}

/// One request, and what the viewer just did to it.
#[derive(Clone, Debug)]
pub struct RequestPage {
    pub view: RequestView,
    /// What the viewer sent and was not recorded: what was typed, and why.
    pub draft: Option<Draft>,
    /// The viewer comes from a form that says it was recorded a moment ago.
    pub recorded: bool,
}

/// What was sent and not recorded, as it was typed, and why.
#[derive(Clone, Debug)]
pub struct Draft {
    pub act: Act,
    pub text: String,
    pub problem: String,
}

/// What a person does to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Review(Option<Verdict>),
    BreakGlass,
    SecondReview(Option<SecondVerdict>),
    Revoke,
    Halt,
    Withdraw,
}

/// The people, and the change of a group as it was filled in.
#[derive(Clone, Debug)]
pub struct PeoplePage {
    pub view: PeopleView,
    pub draft: Option<GroupDraft>,
}

/// A change of a group that was not made, as it was filled in, and why.
#[derive(Clone, Debug, Default)]
pub struct GroupDraft {
    pub person: String,
    pub group: String,
    pub add: Option<bool>,
    pub reason: String,
    pub problems: Vec<String>,
}

/// The kinds, and a new one as it was written.
#[derive(Clone, Debug)]
pub struct KindsPage {
    pub view: KindsView,
    /// A kind that was not put, and why.
    pub draft: Option<TextDraft>,
}

/// The policy, and another as it was written.
#[derive(Clone, Debug)]
pub struct PolicyPage {
    pub view: PolicyView,
    /// A policy that was not put in force, and why.
    pub draft: Option<TextDraft>,
    /// What it would have changed.
    pub replay: Option<ReplayView>,
}

/// A text that was not taken as it is, and why.
#[derive(Clone, Debug, Default)]
pub struct TextDraft {
    pub text: String,
    pub reason: String,
    pub problems: Vec<String>,
}

/// The freezes, and the form as it was filled in.
#[derive(Clone, Debug)]
pub struct FreezesPage {
    pub view: FreezesView,
    pub draft: Option<FreezeDraft>,
}

/// A freeze or a thaw that was not recorded, as it was typed, and why.
#[derive(Clone, Debug, Default)]
pub struct FreezeDraft {
    /// The freeze that was to end; none, if one was to begin.
    pub thaw: Option<FreezeId>,
    /// What was to be frozen, as the form sends it.
    pub scope: String,
    pub halts: Option<bool>,
    pub reason: String,
    pub problem: String,
}

/// The endpoints, and another as it was filled in.
#[derive(Clone, Debug)]
pub struct WebhooksPage {
    pub view: WebhooksView,
    pub draft: Option<WebhookDraft>,
}

/// An endpoint that was not added, as it was typed, and why.
#[derive(Clone, Debug, Default)]
pub struct WebhookDraft {
    pub name: String,
    pub url: String,
    pub events: Vec<String>,
    pub problem: String,
}

/// An answer that is no, or a failure.
#[derive(Clone, Debug)]
pub struct ProblemPage {
    pub status: u16,
    pub title: String,
    pub detail: String,
    /// Address and label of what to do next.
    pub way_out: (String, String),
    /// What to quote when asking for help.
    pub reference: Option<String>,
}

/// The parts of the site that the header links to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Inbox,
    History,
    Ledger,
    Agents,
    People,
    Kinds,
    Policy,
    Freezes,
    /// Not in the header.
    Elsewhere,
}

impl Page {
    /// The text of `<title>`, before the product's name.
    pub fn title(&self) -> String {
        match self {
            Self::SignIn(_) | Self::SignInLink { .. } => "Sign in".to_owned(),
            Self::Inbox(view) if view.your_turn.is_empty() => "Inbox".to_owned(),
            Self::Inbox(view) => format!("Inbox ({})", view.your_turn.len()),
            Self::Request(page) => {
                let level = risk::word(page.view.risk.level);
                format!("{level} risk: {}", spelled(&kind::sentence(&page.view.effect)))
            }
            Self::History(_) => "History".to_owned(),
            Self::Ledger(_) => "Ledger".to_owned(),
            Self::Agents(_) => "Agents".to_owned(),
            Self::People(_) => "People".to_owned(),
            Self::Kinds(_) => "Kinds".to_owned(),
            Self::Policy(_) => "Policy".to_owned(),
            Self::Freezes(_) => "Freeze".to_owned(),
            Self::Secret { title, .. } => title.clone(),
            Self::Settings(_) => "Settings".to_owned(),
            Self::Webhooks(_) => "Webhooks".to_owned(),
            Self::Problem(problem) => problem.title.clone(),
        }
    }

    /// Which link of the header is current.
    pub fn place(&self) -> Place {
        match self {
            Self::Inbox(_) => Place::Inbox,
            Self::History(_) => Place::History,
            Self::Ledger(_) => Place::Ledger,
            Self::Agents(_) => Place::Agents,
            Self::People(_) => Place::People,
            Self::Kinds(_) => Place::Kinds,
            Self::Policy(_) => Place::Policy,
            Self::Freezes(_) => Place::Freezes,
            Self::Request(_)
            | Self::SignIn(_)
            | Self::SignInLink { .. }
            | Self::Secret { .. }
            | Self::Settings(_)
            | Self::Webhooks(_)
            | Self::Problem(_) => Place::Elsewhere,
        }
    }
}
