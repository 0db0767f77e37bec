//! Missing tools, processes that build at once, and builds that are killed. Each runs a process of its own: this test program
//! again, with what it shall do in the environment.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{builder_in, counter};

const CACHE: &str = "LPU_SIM_TEST_CACHE";

/// What a process started by [`start`] does: build and run a counter in the cache given, and say how it went.
#[test]
fn child() {
    let Some(cache) = std::env::var_os(CACHE) else {
        return;
    };
    match builder_in(cache.into()).build(&counter()) {
        Ok(compiled) => {
            let mut model = compiled.instantiate().unwrap();
            let (enable, count) = (model.port("enable").unwrap(), model.port("count").unwrap());
            model.set(enable, 1);
            model.step(5);
            println!("counted {}", model.get(count));
        }
        Err(error) => println!("failed: {error}"),
    }
}

fn start(cache: &Path, environment: &[(&str, &str)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(CACHE, cache)
        .envs(environment.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn said(child: Child) -> String {
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// Names in the cache of models that are neither finished nor locks.
fn unfinished(cache: &Path) -> Vec<String> {
    let names = fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(".tmp-")).collect()
}

#[test]
fn two_processes_that_build_the_same_model_make_it_once() {
    let cache = tempfile::tempdir().unwrap();
    let children = [start(cache.path(), &[]), start(cache.path(), &[])];
    for child in children {
        assert!(said(child).contains("counted 5"));
    }
    let models = fs::read_dir(cache.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
        name.starts_with("model-") && !name.ends_with(".lock")
    });
    assert_eq!(models.count(), 1);
    assert_eq!(unfinished(cache.path()), [""; 0]);
}

#[test]
fn a_killed_build_does_not_disturb_the_next() {
    let cache = tempfile::tempdir().unwrap();
    let mut child = start(cache.path(), &[]);
    let deadline = Instant::now() + Duration::from_secs(120);
    while unfinished(cache.path()).is_empty() {
        assert!(
            Instant::now() < deadline && child.try_wait().unwrap().is_none(),
            "the build never began"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        !unfinished(cache.path()).is_empty(),
        "it was killed in the middle"
    );
    assert!(said(start(cache.path(), &[])).contains("counted 5"));
    assert_eq!(
        unfinished(cache.path()),
        [""; 0],
        "what the killed one left is swept away"
    );
}

#[test]
fn a_compiler_that_dies_is_an_error_and_leaves_nothing() {
    let cache = tempfile::tempdir().unwrap();
    // Answers like a compiler, and is killed when it compiles.
    let fake = cache.path().join("dying-c++");
    fs::write(
        &fake,
        "#!/bin/sh\ncase \"$*\" in *--version*|*-E*) echo fake;; *) kill -9 $$;; esac\n",
    )
    .unwrap();
    let mut mode = fs::metadata(&fake).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
    fs::set_permissions(&fake, mode).unwrap();
    let text = said(start(cache.path(), &[("CXX", fake.to_str().unwrap())]));
    assert!(
        text.contains("failed: compiling") && text.contains("killed (signal: 9"),
        "{text}"
    );
    assert_eq!(unfinished(cache.path()), [""; 0]);
    assert!(said(start(cache.path(), &[])).contains("counted 5"));
}

#[test]
fn missing_tools_are_named() {
    let cache = tempfile::tempdir().unwrap();
    let text = said(start(cache.path(), &[("CXX", "/nowhere/c++")]));
    assert!(
        text.contains("failed: no C++ compiler answers to any of: /nowhere/c++"),
        "{text}"
    );
}
