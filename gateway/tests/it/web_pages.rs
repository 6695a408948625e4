//! A built web page beside the interface.

use crate::support::{Setup, config, get, send};
use hyper::StatusCode;
use postern_gateway::config::Config;

#[tokio::test]
async fn a_page_is_served_with_its_types_and_a_strict_policy() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page");
    std::fs::create_dir_all(page.join("assets")).unwrap();
    std::fs::write(page.join("index.html"), "<!doctype html><title>page</title>").unwrap();
    std::fs::write(page.join("assets/app.js"), "export {}").unwrap();
    std::fs::write(page.join("assets/postern.wasm"), b"\0asm\x01\0\0\0").unwrap();
    std::fs::write(folder.path().join("secret.txt"), "not part of the page").unwrap();
    let setup = Setup::with(Config { web_page: Some(page), ..config() }).await;

    let types = [
        ("/", "text/html"),
        ("/index.html", "text/html"),
        ("/assets/app.js", "text/javascript"),
        ("/assets/postern.wasm", "application/wasm"),
        // Places inside the page.
        ("/sites/s1", "text/html"),
        ("/roles", "text/html"),
    ];
    for (path, kind) in types {
        let answer = get(setup.address(), path, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), kind, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("'wasm-unsafe-eval'"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-cache");
    }
    for path in ["/missing.js", "/assets/missing.wasm", "/v1/nothing", "/../secret.txt", "/%2e%2e/secret.txt"]
    {
        let answer = get(setup.address(), path, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    // The interface keeps its answers.
    assert_eq!(get(setup.address(), "/v1/me/slice", &[]).await.code(), "missing_credentials");
    assert_eq!(get(setup.address(), "/readyz", &[]).await.status, StatusCode::OK);
    let answer = send(setup.address(), "POST", "/", &[]).await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    let date = get(setup.address(), "/assets/app.js", &[]).await.header("last-modified").to_owned();
    let again = get(setup.address(), "/assets/app.js", &[("if-modified-since", &date)]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
}

/// Beside the page, with places of its own, and without one.
#[tokio::test]
async fn the_console_is_served_below_its_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<!doctype html><title>console</title>").unwrap();
    std::fs::write(folder.path().join("app.js"), "export {}").unwrap();
    let setup = Setup::with(Config { console: Some(folder.path().to_owned()), ..config() }).await;
    for path in ["/console", "/console/", "/console/roles", "/console/members/user%3Aann"] {
        let answer = get(setup.address(), path, &[]).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "text/html"), "{path}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
    assert_eq!(get(setup.address(), "/console/app.js", &[]).await.header("content-type"), "text/javascript");
    for path in ["/console/none.js", "/", "/consoles", "/v1/console"] {
        assert_eq!(get(setup.address(), path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_folder_without_a_page_is_refused_at_the_start() {
    let (url, _connection) = crate::support::migrated().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = Some(folder.path().to_owned());
    for (config, flag) in [
        (Config { web_page: folder.clone(), ..config() }, "--static"),
        (Config { console: folder.clone(), ..config() }, "--console"),
    ] {
        let error = postern_gateway::app::Gateway::start(config, &url).await.err();
        let error = error.expect("there is no index.html").to_string();
        assert!(error.contains("index.html") && error.contains(flag), "{error}");
    }
}
