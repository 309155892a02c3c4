//! The scene that most tests begin with: somebody's agent, an approver, one staged request.

use serde_json::Value;

use crate::{TestAgent, TestApp, TestPerson};

/// A server on which `agent` of `owner` has staged `request`, which `bob` may review.
pub struct Scene {
    pub app: TestApp,
    pub owner: TestPerson,
    pub bob: TestPerson,
    pub agent: TestAgent,
    pub request: Value,
}

impl Scene {
    /// The request is pending.
    pub async fn staged() -> Self {
        let app = TestApp::new().await;
        let owner = app.person("Olga Owner", &[]).await;
        let bob = app.person("Bob Approver", &["approvers"]).await;
        let agent = app.agent("agent-1", owner.id).await;
        let request = agent.stage().await;
        Self { app, owner, bob, agent, request }
    }

    /// Bob has approved the request.
    pub async fn approved() -> Self {
        let scene = Self::staged().await;
        assert_eq!(scene.bob.review(&scene.request, "approve").await.status, 303);
        scene
    }
}
