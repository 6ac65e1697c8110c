"""The published schema and the reference of the keys: up to date, complete, and as strict as the model."""

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from sio_lab.files import own_yaml
from sio_lab.lab import reference, schema
from sio_lab.lab.structure import Section, keys_of, mapping
from sio_lab.lab.structure import schema as structure

ROOT = Path(__file__).parents[3]
GOOD = {
    "lab": "x",
    "title": "X",
    "option": "SISR",
    "perimeters": {"dmz": "10.1.1.0/24", "users": {"cidr": "10.1.2.0/24", "role": "users"}},
    "machines": {"fw": {"addresses": {"dmz": "10.1.1.1"}, "image": ["debian/13"]}},
    "flows": [{"from": "users", "to": "dmz", "tcp": [443]}],
}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(structure())


def test_published_schema_is_up_to_date() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.rendered(), "run: python -m sio_lab.lab.schema"


def test_reference_is_up_to_date() -> None:
    page = (ROOT / "docs" / "lab-file.md").read_text(encoding="utf-8")
    assert page == reference.rendered(page), "run: python -m sio_lab.lab.schema"


def test_the_example_of_the_page_loads(tmp_path: Path) -> None:
    from sio_lab.lab import load

    page = (ROOT / "docs" / "lab-file.md").read_text(encoding="utf-8")
    (tmp_path / "lab.yml").write_text(page.split("```yaml\n")[1].split("```")[0])
    assert load(tmp_path).lab.services.dbms


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema.rendered()))


@pytest.mark.parametrize(
    "inventory", sorted((ROOT / "inventories").glob("*/lab.yml")), ids=lambda p: p.parent.name
)
def test_inventories_follow_the_schema(inventory: Path) -> None:
    plain = json.loads(json.dumps(own_yaml(inventory), default=str))
    # Whether the published schema is one is another test's business, and takes longer than all the rest.
    jsonschema.Draft202012Validator(json.loads(schema.FILE.read_text())).validate(plain)


def test_shorthands_and_aliases_are_accepted(validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(GOOD)


@pytest.mark.parametrize(
    "change",
    [
        {"titel": "x"},
        {"option": "SISRR"},
        {"machines": {}},
        {"machines": {"FW": {}}},
        {"machines": {"fw": {"adresses": {}}}},
        {"machines": {"fw": {"addresses": {"DMZ": "10.1.1.1"}}}},
        {"machines": {"fw": {"memory": "512"}}},
        {"perimeters": {"dmz": "10.1.1.1"}},
        {"perimeters": {"dmz": {"role": "dmz"}}},
        {"flows": [{"source": "users", "to": "dmz"}]},
        {"flows": [{"from": "users", "to": "dmz", "tcp": [70000]}]},
        {"services": {"dbms": {"product": "postgresql"}}},
    ],
    ids=str,
)
def test_what_the_model_refuses_is_refused(
    change: dict[str, object], validator: jsonschema.Draft202012Validator
) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(GOOD | change)


def _keys(section: object, path: str = "") -> Iterator[tuple[str, Section]]:
    if isinstance(section, dict):
        for name, key in mapping(section.get("properties")).items():
            yield f"{path}.{name}", mapping(key)
        for name, inner in section.items():
            yield from _keys(inner, f"{path}.{name}")
    elif isinstance(section, list):
        for inner in section:
            yield from _keys(inner, path)


def test_every_key_is_explained_and_exemplified() -> None:
    whole = structure()
    undescribed = [path for path, key in _keys(whole) if "description" not in key and "$ref" not in str(key)]
    assert undescribed == []
    bare = [path for path, key in _keys(whole) if "examples" not in key and "$ref" not in str(key)]
    assert bare == []


def test_keys_of_a_section() -> None:
    assert keys_of(("services", "internet_access", "log")) == ["machine", "path"]
    assert keys_of(("machines", "anything", "connection"))[0] == "type"
    assert keys_of(("flows", 3)) == ["from", "to", "tcp", "udp", "icmp", "published"]
    assert keys_of(("perimeters", "dmz")) == ["cidr", "role", "via"]
    assert keys_of(("title", "x")) == []
