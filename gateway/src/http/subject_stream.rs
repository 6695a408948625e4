//! `GET /v1/me/stream`: the subject's slice of every revision, as it comes.

use super::events::{Follower, stream};
use crate::app::App;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub async fn follow(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let caller = app.access.subject_caller(&headers).await?;
    let feed = app.publisher.feed(&caller.organization);
    let follower = Follower {
        following: feed.followers().slice(),
        organization: caller.organization,
        subject: Some(caller.subject),
        deltas: false,
        expires_at: Some(caller.expires_at),
        credential: caller.credential,
    };
    stream(app, follower, headers).await
}
