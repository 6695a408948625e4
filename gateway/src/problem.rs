//! Errors as callers see them: `application/problem+json` (RFC 9457) with a stable code. What went wrong inside is for
//! the log.

mod more;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// One kind of refusal. `docs/gateway.md` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// For programs; never changes its meaning.
    pub code: &'static str,
    /// For people: what is wrong and what to do.
    pub detail: &'static str,
    /// The `error` of `WWW-Authenticate: Bearer` (RFC 6750); empty where no credential was given.
    bearer_error: Option<&'static str>,
}

impl Problem {
    const fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Problem { status, code, detail, bearer_error: None }
    }

    const fn unauthorized(code: &'static str, bearer_error: &'static str, detail: &'static str) -> Self {
        Problem { status: StatusCode::UNAUTHORIZED, code, detail, bearer_error: Some(bearer_error) }
    }

    /// Nobody asks.
    pub const MISSING_CREDENTIALS: Problem = Problem::unauthorized(
        "missing_credentials",
        "",
        "send `Authorization: Bearer …` with an API key, or for /v1/me with a subject's token",
    );
    /// The `Authorization` header is something else.
    pub const MALFORMED_CREDENTIALS: Problem = Problem::unauthorized(
        "malformed_credentials",
        "invalid_request",
        "the Authorization header is not `Bearer` and one token",
    );
    /// No such key, or no longer.
    pub const INVALID_KEY: Problem = Problem::unauthorized(
        "invalid_key",
        "invalid_token",
        "the API key is unknown, revoked or expired; `postern key create` makes one",
    );
    /// Not a token of ours.
    pub const INVALID_TOKEN: Problem = Problem::unauthorized(
        "invalid_token",
        "invalid_token",
        "the token is not one that this gateway accepts: its form, signature, issuer, audience or subject is wrong",
    );
    /// Was a token of ours.
    pub const EXPIRED_TOKEN: Problem =
        Problem::unauthorized("expired_token", "invalid_token", "the token has expired; ask for a new one");
    /// The key is good, for another organization. The same whether that organization exists or not.
    pub const OTHER_ORGANIZATION: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "other_organization",
        "the credential belongs to another organization than the one in the path",
    );
    /// No such path.
    pub const NOT_FOUND: Problem = Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is nothing at this path; docs/gateway.md lists the paths",
    );
    /// The credential was good, but its organization has just been deleted.
    pub const ORGANIZATION_GONE: Problem = Problem::new(
        StatusCode::NOT_FOUND,
        "organization_not_found",
        "the organization does not exist any more",
    );
    /// A snapshot that was replaced, or never was.
    pub const SNAPSHOT_NOT_HELD: Problem = Problem::new(
        StatusCode::NOT_FOUND,
        "snapshot_not_held",
        "no snapshot with this hash is held; read the head again",
    );
    /// The path takes other methods.
    pub const METHOD_NOT_ALLOWED: Problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this path takes other methods; the header Allow lists them",
    );
    /// Parameters that the path does not have.
    pub const INVALID_QUERY: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_query",
        "a parameter is none that this path takes; docs/gateway.md and docs/management.md list them",
    );
    /// A path that cannot be decoded.
    pub const INVALID_PATH: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_path",
        "the organization in the path is not percent-encoded UTF-8",
    );
    /// Nothing is held, and the database cannot be asked.
    pub const UNAVAILABLE: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "the state cannot be had from the database at the moment; keep what you hold and try again",
    );
    /// The token may be good.
    pub const ISSUER_UNAVAILABLE: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "issuer_unavailable",
        "the keys of the token's issuer cannot be had at the moment; try again",
    );
    /// The organization's facts have never compiled since this gateway started.
    pub const NOT_COMPILED: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not_compiled",
        "the organization's facts do not compile, and no earlier state is held; the gateway's log says why",
    );
    /// A decision was asked for as of a revision that is not published yet.
    pub const REVISION_NOT_REACHED: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "revision_not_reached",
        "the revision of Postern-At-Least is not published yet; ask again",
    );
    /// The state held may be too old to decide on.
    pub const STALE: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "stale_snapshot",
        "for longer than --stale-after it is not known whether the facts held are the newest; /readyz and the log say why",
    );
    /// Not a consistency token of this organization.
    pub const INVALID_REVISION_TOKEN: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_revision_token",
        "Postern-At-Least is not a Postern-Consistency-Token of this organization",
    );
    /// The body is no request.
    pub const INVALID_REQUEST: Problem =
        Problem::new(StatusCode::BAD_REQUEST, "invalid_request", "the body is not a request");
    /// The body is of another type.
    pub const UNSUPPORTED_CONTENT_TYPE: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "unsupported_content_type",
        "send the body as `Content-Type: application/json`",
    );
    /// The body is too large.
    pub const BODY_TOO_LARGE: Problem = Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "the body has more than 1 MiB; send several requests",
    );
    /// A path without an organization, on a gateway without a default one.
    pub const NO_DEFAULT_ORGANIZATION: Problem = Problem::new(
        StatusCode::NOT_FOUND,
        "no_default_organization",
        "this gateway has no --default-organization; ask below /orgs/{organization}",
    );
    /// The caller lacks a permission; the members `required` and `scope` say which, and where.
    pub const FORBIDDEN: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "forbidden",
        "this needs the permission in `required` at `scope`",
    );
    /// The key is one subject's.
    pub const PERSONAL_KEY: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "personal_key",
        "the API key stands for one subject: it is for the management interface, not for snapshots and decisions",
    );
    /// The key may not write.
    pub const READ_ONLY_KEY: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "read_only_key",
        "the API key may read only; `postern key create --write` makes one that may write",
    );
    /// Organizations are made and ended by whoever runs the installation.
    pub const NEEDS_INSTALLATION_KEY: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "needs_installation_key",
        "this needs a key of the installation; `postern key create --installation` makes one",
    );
    /// The write would give away what the caller does not hold; `required` and `scope` say what, and where.
    pub const CANNOT_GRANT: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "cannot_grant",
        "nobody gives away what they do not hold: the permission in `required` at `scope`",
    );
    /// The write would give something to everybody, which only those may do who may do everything.
    pub const GIVES_TO_EVERYBODY: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "gives_to_everybody",
        "what everybody holds is written by those only who may do everything",
    );
    /// What the write gives cannot be compared with what the caller holds.
    pub const NEEDS_EVERYTHING: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "needs_everything",
        "what this changes depends on conditions, on a time to come or on ownership: whoever may do everything has to do it",
    );
    /// The subject may do what the caller may not.
    pub const HOLDS_MORE: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "holds_more",
        "the subject may do something that you may not, or as much as you: others have to change it",
    );
    /// SUPER_ADMIN.
    pub const BUILTIN_ROLE_IMMUTABLE: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "BUILTIN_ROLE_IMMUTABLE",
        "this built-in role is neither changed nor deleted",
    );
    /// Any built-in role.
    pub const BUILTIN_ROLE_NON_DELETABLE: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "BUILTIN_ROLE_NON_DELETABLE",
        "a built-in role is not deleted; its permissions can be changed",
    );
    /// A role's name that is none.
    pub const INVALID_NAME: Problem =
        Problem::new(StatusCode::BAD_REQUEST, "invalid_name", "the name is empty or too long");
    /// A built-in role has it.
    pub const RESERVED_NAME: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "reserved_name",
        "the name is that of a built-in role, or a built-in role would get another name",
    );
    /// Another role, or preset, has it.
    pub const NAME_TAKEN: Problem = Problem::new(
        StatusCode::CONFLICT,
        "name_taken",
        "another one of its kind has this name, deleted presets among them; blanks around it and case make no difference",
    );
    /// A template for names that gives none.
    pub const INVALID_TEMPLATE: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_template",
        "role_name: text with `{scope.id}` or `{scope.name}`, and `{scope.type}`, in at most 64 characters",
    );
    /// What manages others is given to somebody by somebody.
    pub const ADMIN_AUTO_ASSIGN: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "admin_auto_assign",
        "an administrator's role is never assigned by itself: take out `auto_assign`, or what manages others",
    );
    /// A preset that was deleted.
    pub const PRESET_DELETED: Problem =
        Problem::new(StatusCode::CONFLICT, "preset_deleted", "the preset is deleted: restore it first");
    /// An invitation that waits for no answer any more.
    pub const INVITATION_ANSWERED: Problem = Problem::new(
        StatusCode::CONFLICT,
        "invitation_answered",
        "the invitation is not pending any more: it was answered or cancelled, or it has expired; ask for another one",
    );
    /// An invitation to what its subject has.
    pub const ALREADY_HELD: Problem =
        Problem::new(StatusCode::CONFLICT, "already_held", "the subject has this already");
    /// Whoever invited has fewer rights by now.
    pub const INVITER_MAY_NOT: Problem = Problem::new(
        StatusCode::CONFLICT,
        "inviter_may_not",
        "whoever sent the invitation may not give this any more; ask somebody who may for another one",
    );
    /// An answer is the invited subject's alone.
    pub const NOT_INVITED: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "not_invited",
        "only the subject that was invited can answer, with its token or a key of its own",
    );
    /// A scope that was deleted.
    pub const SCOPE_DELETED: Problem = Problem::new(
        StatusCode::CONFLICT,
        "scope_deleted",
        "the scope is deleted: restore it first, or purge it to make another of its id",
    );
    /// A resource of a type that is none.
    pub const NOT_A_SCOPE: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "not_a_scope",
        "the catalog declares the type without `scope`: list such a resource at /resources",
    );
    /// A role that exists for one scope.
    pub const ROLE_OF_SCOPE: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "role_of_scope",
        "the role exists for one scope, its member `scope`, and is assigned there only",
    );
    /// Another subject has the id, or the alias.
    pub const ID_TAKEN: Problem =
        Problem::new(StatusCode::CONFLICT, "id_taken", "the id, or an alias, is taken already");
    /// The catalog lacks them; the member `permissions` lists them.
    pub const UNKNOWN_PERMISSIONS: Problem =
        Problem::new(StatusCode::BAD_REQUEST, "unknown_permissions", "the catalog has none of `permissions`");
    /// A role that lacks what its permissions need; the member `missing` lists it by permission.
    pub const MISSING_PERMISSIONS: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "missing_permissions",
        "some permissions need others in the same role: `missing` lists them",
    );
    /// No such role here.
    pub const UNKNOWN_ROLE: Problem =
        Problem::new(StatusCode::BAD_REQUEST, "unknown_role", "this organization has no such role");
    /// No such group here.
    pub const UNKNOWN_GROUP: Problem =
        Problem::new(StatusCode::BAD_REQUEST, "unknown_group", "this organization lists no such group");
    /// Nothing can stand there.
    pub const UNKNOWN_SCOPE: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "unknown_scope",
        "this organization has no such resource to assign a role at",
    );
    /// No such resource here.
    pub const UNKNOWN_RESOURCE: Problem =
        Problem::new(StatusCode::BAD_REQUEST, "unknown_resource", "this organization lists no such resource");
    /// No such type here.
    pub const UNKNOWN_TYPE: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "unknown_type",
        "the catalog declares no such type of resources",
    );
    /// Something hangs on it; the members `children`, `assignments`, `grants` and `roles` say how much.
    pub const RESOURCE_IN_USE: Problem = Problem::new(
        StatusCode::CONFLICT,
        "resource_in_use",
        "`children` edges lead to the resource, `assignments` and `grants` stand at it, `roles` exist for it; \
         `cascade=true` deletes them with it",
    );
    /// What a share is made of.
    pub const PART_OF_SHARE: Problem = Problem::new(
        StatusCode::CONFLICT,
        "part_of_share",
        "it belongs to a share and goes with that: delete the share",
    );
    /// Somebody holds it; the member `holders` says how many.
    pub const ROLE_HELD: Problem = Problem::new(
        StatusCode::CONFLICT,
        "role_held",
        "the role is held by `holders` subjects; name another role in `reassign_to`, or take it away from them",
    );
    /// The organization needs somebody who may do everything.
    pub const LAST_SUPER_ADMIN: Problem = Problem::new(
        StatusCode::CONFLICT,
        "last_super_admin",
        "nobody would be left who may do everything in the whole organization",
    );
    /// A group that owns something.
    pub const OWNS_RESOURCES: Problem = Problem::new(
        StatusCode::CONFLICT,
        "owns_resources",
        "the group owns resources; give them another owner",
    );
    /// Nobody ends himself.
    pub const OWN_END: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "own_end",
        "nobody deactivates or deletes himself: somebody else has to",
    );
    /// Not here, or not any more.
    pub const ITEM_NOT_FOUND: Problem =
        Problem::new(StatusCode::NOT_FOUND, "item_not_found", "this organization has no such item");
    /// A change without saying of what.
    pub const PRECONDITION_REQUIRED: Problem = Problem::new(
        StatusCode::PRECONDITION_REQUIRED,
        "precondition_required",
        "send `If-Match` with the ETag of what you have seen",
    );
    /// A change of what is not there any more.
    pub const PRECONDITION_FAILED: Problem = Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "precondition_failed",
        "it is not as you have seen it: read it again",
    );
    /// The same key, another request.
    pub const IDEMPOTENCY_KEY_REUSED: Problem = Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "this Idempotency-Key was used with another request; take a new one for each",
    );
    /// The gateway is about to end.
    pub const SHUTTING_DOWN: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "shutting_down",
        "the gateway is stopping; ask another, or later",
    );
    /// What changed is kept for a while only, and another history has none of these.
    pub const REVISIONS_FORGOTTEN: Problem = Problem::new(
        StatusCode::GONE,
        "revisions_forgotten",
        "what followed this revision is not kept any more, or the database was restored; read the state anew and go on from there",
    );
    /// More at once than `--max-requests`.
    pub const BUSY: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "busy",
        "more requests are in progress than this gateway takes at once; try again, or another gateway",
    );
    /// More at once than `--max-streams`.
    pub const TOO_MANY_STREAMS: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too_many_streams",
        "more streams are open than this gateway takes; ask for what is newest instead, or try another gateway",
    );
    /// More in a second than `--rate-limit`.
    pub const TOO_MANY_REQUESTS: Problem = Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        "this credential asks more often than it may; wait a second, follow a stream, or ask in batches",
    );
    /// Our mistake.
    pub const INTERNAL: Problem =
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the gateway failed; its log says why");
}

/// A problem in a particular case.
#[derive(Debug)]
pub struct Refusal {
    problem: Problem,
    detail: Option<String>,
    members: Vec<(&'static str, Value)>,
}

impl Problem {
    /// With a detail of this case in place of the general one. It is shown to the caller.
    pub fn because(self, detail: impl Into<String>) -> Refusal {
        Refusal { problem: self, detail: Some(detail.into()), members: Vec::new() }
    }
}

impl Refusal {
    /// Whether it says that the caller may not.
    pub fn is_forbidden(&self) -> bool {
        self.problem.status == StatusCode::FORBIDDEN
    }

    /// With a further member of the body, for programs.
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.members.push((name, value));
        self
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal { problem, detail: None, members: Vec::new() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        Refusal::from(self).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refusal { problem, detail, members } = self;
        let mut body = json!({
            "type": "about:blank",
            "title": problem.status.canonical_reason().unwrap_or_default(),
            "status": problem.status.as_u16(),
            "code": problem.code,
            "detail": detail.as_deref().unwrap_or(problem.detail),
        });
        for (name, value) in members {
            body[name] = value;
        }
        problem.respond(&body)
    }
}

impl Problem {
    fn respond(self, body: &Value) -> Response {
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.bearer_error {
            Some("invalid_token") => {
                let value = HeaderValue::from_static("Bearer realm=\"postern\", error=\"invalid_token\"");
                headers.insert(WWW_AUTHENTICATE, value);
            }
            Some("invalid_request") => {
                let value = HeaderValue::from_static("Bearer realm=\"postern\", error=\"invalid_request\"");
                headers.insert(WWW_AUTHENTICATE, value);
            }
            Some(_) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"postern\""));
            }
            None => {}
        }
        if matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(axum::http::header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
