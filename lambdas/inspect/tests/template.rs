//! The wall around the function itself, as the template builds it: its role may write its log, and nothing else; nothing hands it
//! anything more, and ingest alone may call it.
//!
//! `tests/independent/check_roles.py` asks the same of a deployed stack. This asks the text, and of everything in it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test, helper functions and all")]

use saphyr_parser::{Event, Parser, Tag};
use serde_json::{Map, Value, json};

/// The template as JSON; what is tagged is an object of its tag, as `{"!Ref": "InspectFunction"}`.
fn template() -> Value {
    let mut events = Parser::new_from_str(include_str!("../../../infra/template.yaml")).map(|event| event.unwrap().0);
    assert_eq!(events.next(), Some(Event::StreamStart));
    assert!(matches!(events.next(), Some(Event::DocumentStart(_))));
    let first = events.next().unwrap();
    let whole = node(first, &mut events);
    assert_eq!(events.next(), Some(Event::DocumentEnd));
    whole
}

fn node<'t>(first: Event<'t>, rest: &mut impl Iterator<Item = Event<'t>>) -> Value {
    if let Event::Scalar(text, _, _, tag) = first {
        return tagged(tag.as_deref(), Value::String(text.into_owned()));
    }
    if let Event::SequenceStart(_, tag) = first {
        let mut items = Vec::new();
        while let Some(item) = rest.next().filter(|event| *event != Event::SequenceEnd) {
            items.push(node(item, rest));
        }
        return tagged(tag.as_deref(), Value::Array(items));
    }
    let Event::MappingStart(_, tag) = first else { panic!("not foreseen: {first:?}") };
    let mut fields = Map::new();
    while let Some(name) = rest.next().filter(|event| *event != Event::MappingEnd) {
        let name = node(name, rest).as_str().unwrap().to_owned();
        let value = rest.next().unwrap();
        let twice = fields.insert(name, node(value, rest));
        assert_eq!(twice, None, "it stands there twice");
    }
    tagged(tag.as_deref(), Value::Object(fields))
}

fn tagged(tag: Option<&Tag>, value: Value) -> Value {
    match tag {
        None => value,
        Some(tag) => Value::Object(Map::from_iter([(format!("!{}", tag.suffix), value)])),
    }
}

/// Every text in `value` that `wanted` likes, as the path to it.
fn places(value: &Value, wanted: &impl Fn(&str) -> bool) -> Vec<String> {
    let below = |name: String, value: &Value| -> Vec<String> {
        places(value, wanted).into_iter().map(|path| format!("{name}/{path}")).collect()
    };
    match value {
        Value::String(text) if wanted(text) => vec![text.clone()],
        Value::Array(items) => items.iter().enumerate().flat_map(|(at, item)| below(at.to_string(), item)).collect(),
        Value::Object(fields) => fields.iter().flat_map(|(name, value)| below(name.clone(), value)).collect(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Every statement of a policy in `value`, those too that stand there under a condition.
fn statements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(fields) if fields.contains_key("Effect") => vec![value],
        Value::Object(fields) => fields.values().flat_map(statements).collect(),
        Value::Array(items) => items.iter().flat_map(statements).collect(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Whether a text names a resource: alone, with an attribute, or within a `!Sub`.
fn names(text: &str, resource: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == resource)
}

#[test]
fn the_inspectors_role_may_write_its_log_and_nothing_else() {
    let template = template();
    let expected = json!({
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    { "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" },
                ],
            },
            "Policies": [{
                "PolicyName": "inspect",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Sid": "Logs",
                        "Effect": "Allow",
                        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                        "Resource": { "!GetAtt": "InspectLogs.Arn" },
                    }],
                },
            }],
        },
    });
    assert_eq!(template["Resources"]["InspectRole"], expected);
    assert_eq!(template["Resources"]["InspectLogs"]["Type"], "AWS::Logs::LogGroup");
}

#[test]
fn nothing_else_in_the_template_gives_the_inspector_anything() {
    let template = template();
    let role = places(&template, &|text| names(text, "InspectRole"));
    assert_eq!(role, ["Resources/InspectFunction/Properties/Role/!GetAtt/InspectRole.Arn"]);
    // A policy of its own could name a role in ways that no look at names finds; a resource's policy could let in everybody.
    for (name, resource) in template["Resources"].as_object().unwrap() {
        let kind = resource["Type"].as_str().unwrap();
        assert!(!kind.starts_with("AWS::IAM::") || kind == "AWS::IAM::Role", "{name} is a {kind}");
        for statement in statements(&resource["Properties"]["PolicyDocument"]) {
            if statement["Effect"] == "Deny" {
                continue;
            }
            let principal = statement["Principal"].as_object().unwrap();
            assert!(principal.keys().eq(["Service"]), "{name} lets in {principal:?}");
        }
    }
}

#[test]
fn the_inspector_has_no_network_of_ours_no_disk_and_no_name_of_a_bucket_or_table() {
    let template = template();
    let function = &template["Resources"]["InspectFunction"];
    assert_eq!(function["Type"], "AWS::Serverless::Function");
    let properties = function["Properties"].as_object().unwrap();
    let known = ["CodeUri", "Environment", "LoggingConfig", "MemorySize", "Role", "Timeout"];
    assert_eq!(sorted(properties), known);
    // What holds for every function.
    let globals = template["Globals"]["Function"].as_object().unwrap();
    assert_eq!(sorted(globals), ["Architectures", "Handler", "Runtime"]);
    for (name, value) in properties["Environment"]["Variables"].as_object().unwrap() {
        let parameter = value["!Ref"].as_str().unwrap_or_else(|| panic!("{name} is {value}"));
        assert!(template["Parameters"].get(parameter).is_some(), "{name} is no setting but {parameter}");
        assert!(
            name == "LOG_LEVEL"
                || name.starts_with("MAX_")
                || name.starts_with("INSPECT_")
                || ["ALLOWED_TYPES", "DENIED_TYPES", "ENCRYPTED_FILES"].contains(&name.as_str()),
            "{name} is new to this test"
        );
    }
}

fn sorted(fields: &Map<String, Value>) -> Vec<&str> {
    let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn ingest_alone_may_call_the_inspector() {
    let template = template();
    let mut function = places(&template, &|text| names(text, "InspectFunction"));
    function.sort_unstable();
    let [output, setting, permission] = &function[..] else { panic!("{function:?}") };
    assert_eq!(output, "Outputs/InspectFunction/Value/!Ref/InspectFunction");
    assert_eq!(
        setting,
        "Resources/IngestFunction/Properties/Environment/Variables/INSPECT_FUNCTION/!Ref/InspectFunction"
    );
    assert!(
        permission.starts_with("Resources/IngestRole/Properties/Policies/0/PolicyDocument/Statement/"),
        "{permission}"
    );
    assert!(permission.ends_with("/Resource/!GetAtt/InspectFunction.Arn"), "{permission}");
    // Nobody else may call any function that is not named, and none by a wildcard.
    for (name, resource) in template["Resources"].as_object().unwrap() {
        let statements = statements(&resource["Properties"]["Policies"]);
        let calling = statements.iter().filter(|statement| !places(&statement["Action"], &may_call).is_empty());
        let called: Vec<&Value> = calling.map(|statement| &statement["Resource"]).collect();
        let expected = json!({ "!GetAtt": "InspectFunction.Arn" });
        assert_eq!(called, if name == "IngestRole" { vec![&expected] } else { vec![] }, "{name}");
    }
}

fn may_call(action: &str) -> bool {
    action.starts_with("lambda:Invoke") || action.contains('*')
}
