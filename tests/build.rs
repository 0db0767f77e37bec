//! Building the model as a user meets it: once, kept, and undisturbed by what was interrupted.

mod common;

use common::{lpu, names, run, small};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Waits until `ready`, which a build reaches within minutes at the worst.
fn wait(child: &mut Child, ready: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(300);
    while !ready() {
        assert!(
            Instant::now() < deadline && child.try_wait().unwrap().is_none(),
            "it never got there"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Names of unfinished models.
fn unfinished(cache: &Path) -> Vec<String> {
    let found = if cache.is_dir() {
        names(cache)
    } else {
        Vec::new()
    };
    let is_model = |name: &String| name.starts_with("model-") && name.contains(".tmp-");
    found.into_iter().filter(is_model).collect()
}

/// Takes Verilator's run-time library from the cache of the tests, if it is there: only the model is built anew.
fn adopt_runtimes(cache: &Path) {
    std::fs::create_dir(cache).unwrap();
    let shared = common::cache();
    let found = if shared.is_dir() {
        names(&shared)
    } else {
        Vec::new()
    };
    let finished = |name: &&String| name.starts_with("runtime-") && !name.contains('.');
    for name in found.iter().filter(finished) {
        std::os::unix::fs::symlink(shared.join(name), cache.join(name)).unwrap();
    }
}

fn interrupt(child: &Child) {
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn an_interrupted_build_and_the_two_runs_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let command = |more: &[&str]| {
        let mut command = lpu(
            folder.path(),
            &small(&[&["--json", "--out", "c.npy"], more].concat()),
        );
        command.env("LPU_CACHE_DIR", &cache);
        command
    };
    adopt_runtimes(&cache);
    let mut child = command(&[]).spawn().unwrap();
    wait(&mut child, || !unfinished(&cache).is_empty());
    child.kill().unwrap();
    let killed = common::Ended::from(child.wait_with_output().unwrap());
    assert_eq!((killed.code, killed.out.as_str()), (None, ""));
    assert_eq!(
        names(folder.path()),
        ["cache"],
        "no output of a run that was killed"
    );

    let first = run(&mut command(&[]));
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_eq!(first.json()["model_cached"], false);
    assert!(
        first.err.contains("building the RTL model of `nano`"),
        "{}",
        first.err
    );
    assert!(
        first.err.contains("the next run takes it from the cache"),
        "{}",
        first.err
    );
    assert_eq!(
        unfinished(&cache),
        [""; 0],
        "what the killed one left is swept away"
    );

    let second = run(&mut command(&[]));
    assert_eq!(
        (second.code, second.err.as_str()),
        (Some(0), ""),
        "it has nothing to say"
    );
    assert_eq!(second.json()["model_cached"], true);
    assert_eq!(names(folder.path()), ["c.npy", "cache"]);
}

#[test]
fn an_interrupted_run_leaves_no_output() {
    let folder = tempfile::tempdir().unwrap();
    // The model with waves, which the tests of waves use too.
    let ready = run(&mut lpu(folder.path(), &small(&["--trace", "waves.vcd"])));
    assert_eq!(ready.code, Some(0), "{ready:?}");
    std::fs::remove_file(folder.path().join("waves.vcd")).unwrap();
    // Long enough to be met in the middle: tens of thousands of cycles with waves.
    let arguments = [
        "run",
        "matmul",
        "--m",
        "64",
        "--k",
        "128",
        "--n",
        "128",
        "--trace",
        "waves.fst",
        "--out",
        "c.npy",
    ];
    let mut child = lpu(folder.path(), &arguments).spawn().unwrap();
    let staged = || {
        names(folder.path()).iter().any(|name| {
            let unfinished = folder.path().join(name).join("waves.fst.vcd");
            name.starts_with(".lpu-") && unfinished.metadata().is_ok_and(|found| found.len() > 0)
        })
    };
    wait(&mut child, staged);
    interrupt(&child);
    let ended = common::Ended::from(child.wait_with_output().unwrap());
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(130), ""),
        "{ended:?}"
    );
    assert_eq!(names(folder.path()), [""; 0]);
}
