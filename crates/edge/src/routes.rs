//! Which permission a request's path needs: for proxies that ask before they pass a request on.
//!
//! ```json
//! {"routes": [
//!   {"path": "/assets/*", "methods": ["GET"], "public": true},
//!   {"path": "/sites/{site}/miners/{miner}", "methods": ["GET"], "permission": "miner:read",
//!    "at": {"type": "miner", "id": "{miner}"}, "in": [{"type": "site", "id": "{site}"}]},
//!   {"path": "/settings", "permission": "fleet:update"}
//! ]}
//! ```
//!
//! The first route that fits decides; what fits none is denied. A path that an application might read in another way
//! than this module (dot segments, empty segments, encoded slashes, parameters after `;`) is refused.

use percent_encoding::percent_decode_str;
use postern_vocab::valid_permission_key;
use serde::Deserialize;

/// The routes, in their order. None: everything is denied.
#[derive(Clone, Debug, Default)]
pub struct Routes(Vec<Route>);

/// What a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: it is for everybody.
    Nothing,
    /// A permission at a resource; `None`: at the whole organization.
    Permission {
        /// Its key.
        key: String,
        /// Where.
        at: Option<(String, String)>,
        /// What the request says of where that lies.
        parents: Vec<(String, String)>,
    },
}

/// Why a request has no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// Its path can be read in more than one way.
    Ambiguous,
    /// None fits.
    Unknown,
}

/// A fault in the document.
#[derive(Debug, thiserror::Error)]
pub enum RoutesError {
    /// It is no such document: the message has line and column.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A route that cannot be.
    #[error("routes[{0}]: {1}")]
    Route(usize, String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    routes: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    path: String,
    #[serde(default)]
    methods: Option<Vec<String>>,
    #[serde(default)]
    permission: Option<String>,
    #[serde(default)]
    at: Option<Place>,
    #[serde(default, rename = "in")]
    parents: Vec<Place>,
    #[serde(default)]
    public: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

#[derive(Clone, Debug)]
struct Route {
    segments: Vec<Segment>,
    /// Whether any further segments fit.
    open: bool,
    /// `None`: every method.
    methods: Option<Vec<String>>,
    /// `None`: public.
    permission: Option<String>,
    at: Option<Place>,
    parents: Vec<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Text(String),
    Named(String),
}

impl Routes {
    /// Reads the document.
    ///
    /// # Errors
    /// What is wrong, and in which route.
    pub fn parse(json: &str) -> Result<Self, RoutesError> {
        let document: Document = serde_json::from_str(json)?;
        let routes = document.routes.into_iter().enumerate();
        let routes = routes
            .map(|(number, written)| Route::new(written).map_err(|what| RoutesError::Route(number, what)));
        routes.collect::<Result<_, _>>().map(Routes)
    }

    /// What a request needs. `path`: as it was sent, with or without a query.
    ///
    /// # Errors
    /// [`NoRoute`], which is a deny.
    pub fn find(&self, method: &str, path: &str) -> Result<Needs, NoRoute> {
        let segments = segments(path).ok_or(NoRoute::Ambiguous)?;
        let route = self.0.iter().find(|route| route.fits(method, &segments)).ok_or(NoRoute::Unknown)?;
        let Some(key) = route.permission.clone() else { return Ok(Needs::Nothing) };
        let fill = |place: &Place| (place.kind.clone(), route.filled(&place.id, &segments));
        Ok(Needs::Permission {
            key,
            at: route.at.as_ref().map(fill),
            parents: route.parents.iter().map(fill).collect(),
        })
    }
}

impl Route {
    fn new(written: Written) -> Result<Self, String> {
        let path = written.path.strip_prefix('/').ok_or("`path` begins with a slash")?;
        let (path, open) = match path.strip_suffix('*') {
            Some(rest) if rest.is_empty() || rest.ends_with('/') => (rest.trim_end_matches('/'), true),
            Some(_) => return Err("`*` is a whole segment, the last one".to_owned()),
            None => (path, false),
        };
        let mut segments = Vec::new();
        let texts = path.split('/').filter(|_| !(open && path.is_empty()));
        for text in texts {
            let named = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let segment = match named {
                Some(name) => Segment::Named(name.to_owned()),
                None => Segment::Text(text.to_owned()),
            };
            if text.contains('*') || named.unwrap_or(text).contains(['{', '}']) || named == Some("") {
                return Err(format!("`{text}` is no segment: write text, or {{name}}, or * at the end"));
            }
            if named.is_some() && segments.contains(&segment) {
                return Err(format!("`{text}` is there twice"));
            }
            segments.push(segment);
        }
        match (&written.permission, written.public) {
            (Some(_), true) => return Err("a route is either `public` or needs a `permission`".to_owned()),
            (None, false) => return Err("it needs a `permission`, or `\"public\": true`".to_owned()),
            (None, true) if written.at.is_some() || !written.parents.is_empty() => {
                return Err("what is public is so everywhere: leave `at` and `in` away".to_owned());
            }
            (Some(key), false) if !valid_permission_key(key) => {
                return Err(format!("`{key}` is no permission: write <type>:<action>"));
            }
            _ => {}
        }
        if written.at.is_none() && !written.parents.is_empty() {
            return Err("`in` says where `at` lies, which is not there".to_owned());
        }
        let places = written.at.iter().chain(&written.parents);
        for place in places {
            if let Some(name) = placeholder(&place.id)
                && !segments.contains(&Segment::Named(name.to_owned()))
            {
                return Err(format!("{{{name}}} is not in the path"));
            }
        }
        if let Some(method) =
            written.methods.iter().flatten().find(|method| **method != method.to_uppercase())
        {
            return Err(format!("methods are written in upper case: `{}`", method.to_uppercase()));
        }
        Ok(Route {
            segments,
            open,
            methods: written.methods,
            permission: written.permission,
            at: written.at,
            parents: written.parents,
        })
    }

    fn fits(&self, method: &str, segments: &[String]) -> bool {
        let enough = if self.open {
            segments.len() >= self.segments.len()
        } else {
            segments.len() == self.segments.len()
        };
        enough
            && self.methods.as_ref().is_none_or(|methods| methods.iter().any(|allowed| allowed == method))
            && self.segments.iter().zip(segments).all(|(segment, given)| match segment {
                Segment::Text(text) => text == given,
                Segment::Named(_) => !given.is_empty(),
            })
    }

    /// The id of a place, with what stands in the path where it has a name.
    fn filled(&self, id: &str, segments: &[String]) -> String {
        let named = placeholder(id).and_then(|name| {
            self.segments.iter().position(|segment| *segment == Segment::Named(name.to_owned()))
        });
        named.and_then(|at| segments.get(at)).map_or_else(|| id.to_owned(), String::clone)
    }
}

fn placeholder(id: &str) -> Option<&str> {
    id.strip_prefix('{')?.strip_suffix('}')
}

/// The decoded segments of a path. `None`: another program might read it otherwise.
fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.split(['?', '#']).next()?.strip_prefix('/')?;
    let count = path.split('/').count();
    let decoded = path.split('/').enumerate().map(|(number, raw)| {
        // The root, and a slash at the end, which is another path than the one without.
        if raw.is_empty() && number + 1 == count {
            return Some(String::new());
        }
        let text = percent_decode_str(raw).decode_utf8().ok()?;
        // A percent sign that is left was malformed, or encoded twice.
        let doubtful = |sign: char| matches!(sign, '/' | '\\' | '%' | ';') || sign.is_control();
        let dots = matches!(&*text, "" | "." | "..");
        (!dots && !text.contains(doubtful)).then(|| text.into_owned())
    });
    decoded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(json: &str) -> Routes {
        Routes::parse(&format!("{{\"routes\":[{json}]}}")).unwrap_or_else(|error| panic!("{json}: {error}"))
    }

    fn needs(key: &str, at: Option<(&str, &str)>, parents: &[(&str, &str)]) -> Result<Needs, NoRoute> {
        let owned = |(kind, id): (&str, &str)| (kind.to_owned(), id.to_owned());
        let parents = parents.iter().copied().map(owned).collect();
        Ok(Needs::Permission { key: key.to_owned(), at: at.map(owned), parents })
    }

    #[test]
    fn the_first_route_that_fits_decides() {
        let routes = routes(
            r#"{"path": "/assets/*", "methods": ["GET", "HEAD"], "public": true},
               {"path": "/", "public": true},
               {"path": "/sites/all", "permission": "site:read"},
               {"path": "/sites/{site}", "permission": "site:read", "at": {"type": "site", "id": "{site}"}},
               {"path": "/sites/{site}/miners/{id}", "methods": ["POST"], "permission": "miner:reboot",
                "at": {"type": "miner", "id": "{id}"}, "in": [{"type": "site", "id": "{site}"}, {"type": "zone", "id": "z"}]}"#,
        );
        let find = |method: &str, path: &str| routes.find(method, path);
        assert_eq!(find("GET", "/assets/a/b.js?v=1"), Ok(Needs::Nothing));
        assert_eq!(find("GET", "/assets"), Ok(Needs::Nothing));
        assert_eq!(find("POST", "/assets/a"), Err(NoRoute::Unknown));
        assert_eq!(find("GET", "/"), Ok(Needs::Nothing));
        assert_eq!(find("GET", "/sites/all"), needs("site:read", None, &[]));
        assert_eq!(find("PUT", "/sites/s%201"), needs("site:read", Some(("site", "s 1")), &[]));
        let miner = needs("miner:reboot", Some(("miner", "m1")), &[("site", "s1"), ("zone", "z")]);
        assert_eq!(find("POST", "/sites/s1/miners/m1"), miner);
        assert_eq!(find("GET", "/sites/s1/miners/m1"), Err(NoRoute::Unknown));
        assert_eq!(find("GET", "/sites/s1/"), Err(NoRoute::Unknown), "a slash at the end is another path");
        assert_eq!(find("GET", "/Sites/s1"), Err(NoRoute::Unknown));
        assert_eq!(Routes::default().find("GET", "/"), Err(NoRoute::Unknown));
    }

    #[test]
    fn what_another_program_might_read_otherwise_is_refused() {
        let routes = routes(r#"{"path": "/*", "public": true}"#);
        assert_eq!(routes.find("GET", "/"), Ok(Needs::Nothing));
        for path in [
            "",
            "assets",
            "http://a/b",
            "//a",
            "/a//b",
            "/a/../b",
            "/a/%2e%2E/b",
            "/./a",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a;x=1",
            "/a%3Bx",
            "/a%00",
            "/a%0a",
            "/a%",
            "/a%zz",
            "/a%252e",
            "/%ff",
        ] {
            assert_eq!(routes.find("GET", path), Err(NoRoute::Ambiguous), "{path}");
        }
    }

    #[test]
    fn faults_name_the_route() {
        for (route, what) in [
            (r#"{"path": "a", "public": true}"#, "begins with a slash"),
            (r#"{"path": "/a*", "public": true}"#, "the last one"),
            (r#"{"path": "/*/a", "public": true}"#, "is no segment"),
            (r#"{"path": "/{a}{b}", "public": true}"#, "is no segment"),
            (r#"{"path": "/{}", "public": true}"#, "is no segment"),
            (r#"{"path": "/{a}/{a}", "public": true}"#, "twice"),
            (r#"{"path": "/a"}"#, "needs a `permission`"),
            (r#"{"path": "/a", "permission": "a:b", "public": true}"#, "either"),
            (r#"{"path": "/a", "public": true, "at": {"type": "a", "id": "b"}}"#, "is so everywhere"),
            (r#"{"path": "/a", "permission": "read"}"#, "is no permission"),
            (
                r#"{"path": "/a", "permission": "a:b", "at": {"type": "a", "id": "{b}"}}"#,
                "{b} is not in the path",
            ),
            (r#"{"path": "/a", "permission": "a:b", "in": [{"type": "a", "id": "b"}]}"#, "is not there"),
            (r#"{"path": "/a", "methods": ["get"], "public": true}"#, "`GET`"),
            (r#"{"path": "/a", "public": true, "allow": 1}"#, "unknown field `allow`"),
        ] {
            let error = Routes::parse(&format!("{{\"routes\":[{route}]}}")).unwrap_err().to_string();
            assert!(error.contains(what), "{route}: {error}");
        }
    }
}
