//! `vestibule inspect` as somebody runs it, over one file and over many.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test, helper functions and all")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn inspect(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.current_dir(folder).arg("inspect").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The objects told, one a line.
fn objects(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A folder with two pictures of one name, a broken one, an empty file, and a link that leads round.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/files");
    let picture = fs::read(fixtures.join("orientation-1.jpg")).unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("b/c")).unwrap();
    fs::write(at("a.jpg"), &picture).unwrap();
    fs::write(at("b/a.jpg"), &picture).unwrap();
    fs::write(at("b/c/cut.jpg"), &picture[..picture.len() / 2]).unwrap();
    fs::write(at("b/empty.txt"), "").unwrap();
    symlink(folder.path(), at("b/round")).unwrap();
    folder
}

#[test]
fn many_files_are_told_of_in_order_and_counted() {
    let folder = folder();
    let output = inspect(folder.path(), &["--json", "--jobs", "3", "--out", "made", "b", "nothing", "a.jpg"]);
    let told: Vec<(String, String)> = objects(&output)
        .iter()
        .map(|told| {
            let became = told.get("code").unwrap_or(&told["verdict"]);
            (told["file"].as_str().unwrap().to_owned(), became.as_str().unwrap().to_owned())
        })
        .collect();
    let expected = [
        ("b/a.jpg", "accepted"),
        ("b/c/cut.jpg", "damaged"),
        ("b/empty.txt", "empty"),
        ("nothing", "failed"),
        ("a.jpg", "accepted"),
    ];
    assert_eq!(told, expected.map(|(file, became)| (file.to_owned(), became.to_owned())));
    let told = objects(&output);
    assert_eq!(told[3]["error"], "No such file or directory (os error 2)");
    assert_eq!(told[2].get("detail"), None, "nothing is announced of an empty file");
    assert_eq!(
        text(&output.stderr),
        "files 5, accepted 2, refused 2, crashes 0, over memory 0, over time 0, not examined 1\n"
    );
    assert_eq!(output.status.code(), Some(1));
    let mut made: Vec<String> = fs::read_dir(folder.path().join("made"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    made.sort();
    assert_eq!(made, ["00001-a.jpg", "00005-a.jpg"]);
    assert!(folder.path().join("made/00005-a.jpg/320.jpg").is_file());
}

#[test]
fn one_file_is_told_of_as_ever_and_refused_with_three() {
    let folder = folder();
    let accepted = inspect(folder.path(), &["--json", "--out", "made", "a.jpg"]);
    let told = objects(&accepted);
    assert_eq!(
        (told.len(), &told[0]["verdict"], &told[0]["facts"]["type"]),
        (1, &"accepted".into(), &"image/jpeg".into())
    );
    assert_eq!(told[0]["thumbnails"][0]["file"], "made/320.jpg");
    assert_eq!((text(&accepted.stderr), accepted.status.code()), ("", Some(0)));
    assert_eq!(inspect(folder.path(), &["b/c/cut.jpg"]).status.code(), Some(3));
    let missing = inspect(folder.path(), &["nothing"]);
    assert_eq!(text(&missing.stderr), "vestibule: nothing: No such file or directory (os error 2)\n");
    assert_eq!(missing.status.code(), Some(1));
}

#[test]
fn a_single_file_that_cannot_be_read_is_an_object_as_one_of_several_is() {
    let folder = folder();
    let alone = inspect(folder.path(), &["--json", "nothing"]);
    let of_two = inspect(folder.path(), &["--json", "nothing", "b/empty.txt"]);
    let expected = serde_json::json!({ "file": "nothing", "verdict": "failed", "error": "No such file or directory (os error 2)" });
    assert_eq!(objects(&alone), std::slice::from_ref(&expected));
    assert_eq!((text(&alone.stderr), alone.status.code()), ("", Some(1)));
    assert_eq!(objects(&of_two)[0], expected);
}

#[test]
fn a_folder_for_thumbnails_may_have_any_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let folder = folder();
    let out = OsStr::from_bytes(b"m\xFFde\x1B[2J");
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command.current_dir(folder.path()).arg("inspect").arg("--out").arg(out).args(more).output().unwrap()
    };
    let output = run(&["--json", "a.jpg"]);
    assert_eq!(objects(&output)[0]["thumbnails"][0]["file"], "m\u{fffd}de\u{1b}[2J/320.jpg");
    assert_eq!(output.status.code(), Some(0));
    assert!(folder.path().join(out).join("320.jpg").is_file());
    let words = run(&["a.jpg"]);
    assert!(text(&words.stdout).contains("m\u{fffd}de[2J/320.jpg"), "{}", text(&words.stdout));
}

#[test]
fn a_name_cannot_write_on_the_terminal() {
    let folder = folder();
    let missing = inspect(folder.path(), &["no\u{1b}[2Jthing"]);
    assert_eq!(text(&missing.stderr), "vestibule: no[2Jthing: No such file or directory (os error 2)\n");
}

#[test]
fn a_folder_without_files_is_said_to_be_empty() {
    let folder = tempfile::tempdir().unwrap();
    let output = inspect(folder.path(), &["."]);
    assert_eq!(text(&output.stdout), "files 0, accepted 0, refused 0, crashes 0, over memory 0, over time 0\n");
    assert_eq!(text(&output.stderr), "vestibule: there was nothing to examine\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn in_words_many_files_are_a_line_each_and_totals() {
    let folder = folder();
    let not_examined = inspect(folder.path(), &["nothing", "a.jpg"]);
    let first = text(&not_examined.stdout).lines().next().unwrap();
    assert!(
        first.starts_with("not examined ") && first.ends_with(" ms  nothing: No such file or directory (os error 2)"),
        "{first}"
    );
    let output = inspect(folder.path(), &["."]);
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert!(lines[0].starts_with("accepted            image/jpeg ") && lines[0].ends_with("./a.jpg"), "{lines:?}");
    assert_eq!(lines[4], "files 4, accepted 2, refused 2, crashes 0, over memory 0, over time 0");
    assert_eq!(output.status.code(), Some(3));
}
