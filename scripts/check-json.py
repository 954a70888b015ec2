#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""check-json.py COMMAND FILE...     Does each FILE match docs/schema/COMMAND.schema.json?
check-json.py --schemas           Are the schemas complete, do the examples and docs/json.md match them, and does
                                  docs/json.md list the kinds of findings that the code has?
check-json.py --self-test         Does this script find each fault that it puts into the examples, one at a time?

The schemas accept unknown fields, because new fields do not change the schema version. This script does not: a field
without a description is an error. A FILE may be part of a document: COMMAND#/properties/levels.

The first line names Debian's python, because only that one has Debian's python3-jsonschema.
"""
import copy
import json
import pathlib
import re
import subprocess
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    sys.exit("check-json.py: python3-jsonschema is not installed: run scripts/deps.sh test")

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "docs/schema"
EXAMPLES = SCHEMAS / "examples"
COMMANDS = sorted(p.name.split(".")[0] for p in SCHEMAS.glob("*.schema.json") if p.name != "common.schema.json")
SHOWN = 10  # errors shown per file; a field that is missing in every row would give thousands

# What the description of a field with such a name must contain. The last match counts.
UNITS = [(r"_kb$|^kb$|^kb_", "KiB"), (r"_s$|^seconds", "second|ISO"), (r"bytes", "byte"), (r"_ns$", "nanosecond"),
         (r"_percent$|^percent$", "percent"), (r"bytes_per_s", "per second"), (r"kb_per_s$", "KiB per second")]


GUIDE = ROOT / "docs/json.md"

# How the code names the kind of a finding.
KIND = r'"([a-z_-]+)"'
KINDS = [r"\.kind = " + KIND, r'\b(?:FINDING|NOTE|unusual_find|say|say_caution|caution)\([^"]*?' + KIND,
         r"\{" + KIND + r", FINDING_", r'\.kind = [^"]*\?\s*' + KIND, r'\.kind = [^"]*\?\s*"[a-z_-]+"\s*:\s*' + KIND]


def documented_kinds():
    """The first column of the table under "Kinds of findings"."""
    section = GUIDE.read_text(encoding="utf-8").split("\n## Kinds of findings\n")[1].split("\n## ")[0]
    return {kind for row in re.findall(r"^\|(.*?)\|", section, re.MULTILINE) for kind in re.findall(r"`(.*?)`", row)}


def kinds_of_code():
    kinds = set()
    for path in (ROOT / "user/findings").glob("*.c"):
        for pattern in KINDS:
            kinds.update(re.findall(pattern, path.read_text(encoding="utf-8")))
    rules = re.search(r"belief_rules\[BELIEF_RULES\] = \{(.*?)\n\};", (ROOT / "user/model/believable.c").read_text("utf-8"), re.DOTALL)
    return kinds | set(re.findall(r"\{\s*" + KIND + ",", rules[1])) - {"none"}


def check_kinds(code, documented):
    for kind in sorted(code - documented):
        yield f"docs/json.md, \"Kinds of findings\", does not list {kind}"
    for kind in sorted(documented - code):
        yield f"docs/json.md, \"Kinds of findings\", lists {kind}, which no file of user/findings names"


def load(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


class Schemas:
    """The published schemas, and a strict form of each: it forbids unknown fields and contains no references."""

    def __init__(self, files=None):
        self.files = files or {p.name: load(p) for p in SCHEMAS.glob("*.schema.json")}
        # The published schema accepts kinds that it does not know.
        self.files["common.schema.json"]["$defs"]["finding"]["properties"]["kind"]["enum"] = sorted(documented_kinds())

    def at(self, name, pointer):
        node = self.files[name]
        for key in filter(None, pointer.split("/")):
            node = node[key]
        return node

    def strict(self, name, node):
        """A copy of node that forbids fields without a description. No schema here refers to itself."""
        if isinstance(node, list):
            return [self.strict(name, item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            file, pointer = node["$ref"].split("#")
            target = self.strict(file or name, self.at(file or name, pointer))
            return {**target, **{key: value for key, value in node.items() if key != "$ref"}, "x-from": (file or name) + pointer}
        out = {key: self.strict(name, value) for key, value in node.items() if key not in ("$defs", "properties")}
        if "properties" in node:
            out["properties"] = {key: self.strict(name, value) for key, value in node["properties"].items()}
            out["additionalProperties"] = False
        return out

    def validator(self, what):
        command, _, pointer = what.partition("#")
        name = command + ".schema.json"
        return Draft202012Validator(self.strict(name, self.at(name, pointer)))


def errors_of(validator, document):
    """One sentence per error, with its place in the document: $.growth[0].rank"""
    for error in validator.iter_errors(document):
        where = "$" + "".join(f"[{k}]" if isinstance(k, int) else "." + k for k in error.absolute_path)
        if error.validator == "additionalProperties":
            new = ", ".join(sorted(error.instance.keys() - error.schema["properties"].keys()))
            yield f"{where}: no schema describes {new}: add type, unit and meaning there, and to \"required\""
        else:
            yield f"{where}: {error.message[:300]}"


# ---- are the schemas themselves complete? ----

def check_field(where, name, field, required):
    """The schema of each field must give its meaning, unit and type, and whether it is always present."""
    words = field.get("description", "")
    wanted = [unit for pattern, unit in UNITS if re.search(pattern, name)][-1:]
    measured = "number" in str(field.get("type")) or "integer" in str(field.get("type"))

    if not words:
        yield f"{where}: no description"
    if measured and wanted and not re.search(wanted[0], words, re.IGNORECASE):
        yield f"{where}: the description does not say its unit ({wanted[0]}): {words}"
    if not {"type", "enum", "const", "anyOf"} & field.keys():
        yield f"{where}: neither a type nor a list of values"
    if required is not None and name not in required and not words.startswith("Only "):
        yield f"{where}: not required, and the description does not say when it is there (\"Only ...\")"


def check_node(where, node):
    """Check everything below a strict schema. In an object with an empty "required", any field may be absent."""
    if node.get("type") == "object" and "properties" not in node:
        yield f"{where}: an object without properties"
    if "array" in str(node.get("type")) and "items" not in node:
        yield f"{where}: an array without items"
    properties = node.get("properties", {})
    if properties and "required" not in node:
        yield f"{where}: no list of required fields"
    for name in set(node.get("required", [])) - properties.keys():
        yield f"{where}.{name}: required, but not described"
    for name, field in properties.items():
        yield from check_field(f"{where}.{name}", name, field, node.get("required") or None)
        yield from check_node(f"{where}.{name}", field)
    for branch in node.get("anyOf", []):
        yield from check_node(where, branch)
    if "items" in node:
        if not node["items"].get("description"):
            yield f"{where}[]: no description"
        yield from check_node(where + "[]", node["items"])


def check_schemas(schemas):
    for name, schema in schemas.files.items():
        Draft202012Validator.check_schema(schema)
    for command in COMMANDS:
        yield from check_node(command, schemas.strict(command + ".schema.json", schemas.files[command + ".schema.json"]))


def examples(command):
    """docs/schema/examples/COMMAND.json and COMMAND-VARIANT.json"""
    return [p for p in sorted(EXAMPLES.glob("*.json")) if re.split(r"[-.]", p.name)[0] == command]


def check_guide():
    """Each jq command of docs/json.md must find something in the example that it names."""
    guide = GUIDE.read_text(encoding="utf-8")
    commands = re.findall(r"^\$ (jq .*(?:\n  .*)*)", guide, re.MULTILINE)

    if not commands:
        yield "docs/json.md: no jq command was found"
    for command in commands:
        run = subprocess.run(["sh", "-c", command], cwd=EXAMPLES, capture_output=True, text=True, check=False)
        if run.returncode or run.stdout.strip() in ("", "null", "[]", "{}"):
            yield f"docs/json.md: {command}: {run.stderr or 'found nothing'}"


def check_all(schemas):
    yield from check_schemas(schemas)
    for command in COMMANDS:
        if not examples(command):
            yield f"{command}: no example in {EXAMPLES}"
        for path in examples(command):
            yield from (f"{path.name}: {error}" for error in errors_of(schemas.validator(command), load(path)))
    yield from check_guide()
    yield from check_kinds(kinds_of_code(), documented_kinds())


# ---- would a fault be found? ----

def changed(document, path, change):
    """Copy the document and call change(parent, key) at path."""
    out = copy.deepcopy(document)
    parent = out
    for key in path[:-1]:
        parent = parent[key]
    change(parent, path[-1])
    return out


def field_of(schema, field):
    """Where a schema describes a field. What several places share by a reference is one field."""
    return (schema["x-from"],) if "x-from" in schema else field


def walk(value, schema, path=(), field=()):
    """Yield (path, value, strict schema, field) for each value; of anyOf, the branch that has all its fields."""
    for branch in schema.get("anyOf", []):
        if isinstance(value, dict) and value.keys() <= branch.get("properties", {}).keys():
            schema = branch
            break
    field = field_of(schema, field)
    yield path, value, schema, field
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, schema["properties"][key], path + (key,), field + (key,))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from walk(item, schema["items"], path + (i,), field)


def set_to(wrong):
    return lambda parent, key: parent.__setitem__(key, wrong)


def remove(parent, key):
    del parent[key]


def faults(document, schema, tried):
    """Yield (what was done, the document with that fault) for every fault of every field. tried: the fields of earlier documents."""
    for path, value, node, field in walk(document, schema):
        if (field, type(value)) in tried:
            continue
        tried.add((field, type(value)))
        at = ".".join(map(str, path))
        if isinstance(value, dict):
            yield f"{at}: a field nobody described", changed(document, path + ("undescribed",), set_to(0))
            for key in set(node.get("required", [])) & value.keys():
                yield f"{at}.{key}: gone", changed(document, path + (key,), remove)
        if path:
            yield f"{at}: of a wrong type", changed(document, path, set_to({"wrong": "type"} if not isinstance(value, dict) else 7))
            if not isinstance(value, str) and value is not None:
                yield f"{at}: text", changed(document, path, set_to("text"))
            if path[-1] == "kind" and "enum" in node:
                yield f"{at}: a kind that is in no list", changed(document, path, set_to("unlisted"))


def never_seen(schemas):
    """Fields that no example contains, so that no faults were tried on them."""
    seen, all_fields = set(), set()

    def below(node, field):
        field = field_of(node, field)
        for branch in node.get("anyOf", []):
            below(branch, field)
        if "items" in node:
            below(node["items"], field)
        for key, value in node.get("properties", {}).items():
            if not any("x-from" in branch for branch in value.get("anyOf", [])):
                all_fields.add(field_of(value, field + (key,)))
            below(value, field + (key,))
    for command in COMMANDS:
        schema = schemas.strict(command + ".schema.json", schemas.files[command + ".schema.json"])
        below(schema, (command,))
        for path in examples(command):
            seen.update(field for _, _, _, field in walk(load(path), schema, field=(command,)))
    return sorted(all_fields - seen)


def faults_of_schemas(schemas):
    """The same for the checks of the schemas."""
    for what, change in [
            ("a description gone", lambda row: row["rank"].pop("description")),
            ("a unit gone", lambda row: row["bytes"].update(description="How much.")),
            ("a type gone", lambda row: row["objects"].pop("type")),
            ("an array of anything", lambda row: row["age_histogram"].pop("items")),
            ("an object of anything", lambda row: row.update(rest={"type": "object", "description": "Only a test."})),
            ("a field that may vanish", lambda row: row.update(rest={"type": "string", "description": "A test."}))]:
        files = copy.deepcopy(schemas.files)
        change(files["report.schema.json"]["$defs"]["growth"]["properties"])
        yield what, Schemas(files)


def self_test(schemas):
    tried = 0
    for field in never_seen(schemas):
        yield f"no example has {'.'.join(field)}"
    for command in COMMANDS:
        validator = schemas.validator(command)
        fields = set()
        for path in examples(command):
            for what, broken in faults(load(path), validator.schema, fields):
                tried += 1
                if validator.is_valid(broken):
                    yield f"{command}: not noticed: {what}"
    for what, broken in faults_of_schemas(schemas):
        tried += 1
        if not list(check_schemas(broken)):
            yield f"schemas: not noticed: {what}"
    kinds = documented_kinds()
    for code, documented in ((kinds, kinds - {"leak"}), (kinds - {"leak"}, kinds)):
        tried += 1
        if not list(check_kinds(code, documented)):
            yield "docs/json.md: not noticed: a kind too few or too many"
    for what, document in faults_of_findings():
        tried += 1
        if bool(list(check_findings(document))) != bool(what):
            yield f"findings: not noticed: {what}" if what else "findings: a good document was refused"
    print(f"{tried} faults tried")


def check_findings(document):
    """Does the list of findings say all that other fields say in words, the most severe first?"""
    findings = document["findings"]
    order = ["critical", "warning", "notice", "caution"]
    ranks = [order.index(f["severity"]) for f in findings]
    texts = {f["text"] for f in findings}
    said = document.get("verdict", {}).get("sentences", []) + document.get("notes", []) + \
        [row["text"] for name in ("proportions", "counters") for row in document.get(name, []) if row.get("text")]
    outlook = document.get("outlook", {})
    limits = outlook.get("exhausted_in", []) + outlook.get("limits_reached_in", [])
    next_ = document.get("verdict", {}).get("next")

    if ranks != sorted(ranks):
        yield "$.findings: not the most severe first"
    if sorted(row["name"] for row in limits) != sorted(f["subject"] for f in findings if f["kind"] == "exhaustion"):
        yield f"$.findings: the outlook names {[row['name'] for row in limits]}, and the findings do not, or others"
    for text in said:
        if text not in texts:
            yield f"$.findings: nothing says: {text}"
    if next_ and next_ not in [f["next"] for f in findings]:
        yield f"$.findings: none has the next command: {next_}"
    for i, f in enumerate(findings):
        for evidence in f["evidence"]:
            table = document
            for key in evidence["table"].split("."):
                table = table.get(key) if isinstance(table, dict) else None
            if table is None:
                yield f"$.findings[{i}]: its evidence is in {evidence['table']}, which this document does not have"


def faults_of_findings():
    finding = {"severity": "notice", "kind": "growth", "text": "said", "next": "do", "evidence": [{"table": "pools", "row": "Slab"}]}
    good = {"verdict": {"sentences": ["said"], "next": "do"}, "pools": [], "findings": [finding]}
    yield "", good
    yield "a sentence that is no finding", {**good, "notes": ["not said"]}
    yield "a rule that is no finding", {**good, "proportions": [{"text": "not said"}]}
    yield "a command that is of no finding", {**good, "verdict": {"sentences": [], "next": "more"}}
    yield "a counter that is no finding", {**good, "counters": [{"text": "not said"}, {"text": None}]}
    yield "a limit that is no finding", {**good, "outlook": {"exhausted_in": [{"name": "MemAvailable"}]}}
    yield "a wrong order", {**good, "findings": [finding, {**finding, "severity": "critical"}]}
    yield "evidence nowhere", {**good, "findings": [{**finding, "evidence": [{"table": "none", "row": ""}]}]}


def check_file(validator, what, path):
    try:
        document = load(path)
        errors = list(errors_of(validator, document))
        if not errors and "findings" in document:
            errors = list(check_findings(document))
    except (OSError, ValueError) as error:
        errors = [str(error)]
    for error in errors[:SHOWN]:
        yield f"{path} does not match docs/schema/{what.split('#')[0]}.schema.json: {error}"
    if len(errors) > SHOWN:
        yield f"... and {len(errors) - SHOWN} more"


def main(args):
    schemas = Schemas()
    if args == ["--schemas"]:
        problems = check_all(schemas)
    elif args == ["--self-test"]:
        problems = self_test(schemas)
    elif len(args) >= 2 and args[0].partition("#")[0] in COMMANDS:
        validator = schemas.validator(args[0])
        problems = (problem for path in args[1:] for problem in check_file(validator, args[0], path))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    status = 0
    for problem in problems:
        print(problem)
        status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
