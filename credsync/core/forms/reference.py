"""The reference page of all paths, classes, types and rules (docs/fields.md), written from the models.

`python -m credsync.core.forms.reference > docs/fields.md` renews it; a test holds that the page equals the models.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from inspect import cleandoc

from credsync.core.forms import answers
from credsync.core.forms.application import SECTIONS, FormName
from credsync.core.forms.catalogue import PathInfo, paths
from credsync.core.forms.custom import CUSTOM_TYPES
from credsync.core.forms.faults import CODES
from credsync.core.forms.fields import DataClass

_HEAD = """\
# Fields

Written from the models by `python -m credsync.core.forms.reference`; a test keeps it true. Do not edit it.

A form is `{section: {field: value}}`. The Credentialing Application (`ca`) has the sections of the first table, the
Attestation Form (`af`) those and its own two, a sign-up (`sign_up`) the first alone, for which the bare fields will do.

- **Nothing is required** but what names an item. Absent is untouched, null clears (a field, a list, a section), a list
  replaces the list. What is there must be valid; every fault is named at once, and no message holds a value.
- **Nothing is coerced.** `"5"` is not 5, 1 is not true; a number must be finite.
- **Texts** are brought to NFC and lose outer blanks; a blank field is cleared, as by null. Control characters are
  refused; texts of many lines may hold tabs and line ends. Names also hold nothing invisible (the joiners that Arabic
  and Indic spelling needs may stand between such letters), no markup (`<b>`) and no formula (`=1+1`).
- **Attestation Form:** a section is changed, absent, or `{"confirmed": true}`, which is as good as absent.
  `disclosures` and `attestation` cannot be confirmed.
- **Paths** have no indexes: `education_and_training.licenses.number` is the number of each licence. A mapping may name
  paths of class A and B that are not objects; in a list of objects only with `each`.

| class | means |
|---|---|
| A | public or professional |
| B | contact data |
| C | sensitive: checked, reduced to a flag and dropped; stored nowhere |
| D | never accepted, empty or not; nor is a tax id, bank data or a password under any other name or in any section |

An object has the strictest class of what is in it.

# In every form that has the section
"""
_CUSTOM = """\
## `custom`

A portal's own fields, `custom.<name>`, declared in the portal file with class A or B and one of these types:

| type | rule |
|---|---|
"""


def reference_page() -> str:
    """The whole page as Markdown."""
    known = paths("af")
    parts = [_HEAD]
    parts += [_table(section, _inside(section, known)) for section in (*SECTIONS["ca"], "payouts")]
    parts.append("# Only in the Attestation Form\n")
    own = [section for section in SECTIONS["af"] if section not in SECTIONS["ca"]]
    parts += [_table(section, _inside(section, known)) for section in own]
    derived = [info for info in known.values() if info.rule.startswith("derived")]
    parts.append(_rows("# Derived, and mappable\n\n", derived))
    parts.append(
        _CUSTOM + "".join(f"| `{name}` | {_rule_of(kind)} |\n" for name, kind in CUSTOM_TYPES.items())
    )
    parts.append("# When a flag is true\n\n" + cleandoc(answers.__doc__ or "").partition("\n\n")[2] + "\n")
    codes = "".join(f"| `{code}` | {meaning} |\n" for code, meaning in CODES.items())
    parts.append("# Codes of faults\n\n| code | means |\n|---|---|\n" + codes)
    return "\n".join(parts)


def forms_with(path: str) -> list[FormName]:
    """The forms that know a path."""
    names: tuple[FormName, ...] = ("sign_up", "ca", "af")
    return [form for form in names if path in paths(form)]


def _inside(section: str, known: dict[str, PathInfo]) -> list[PathInfo]:
    return [info for path, info in known.items() if path == section or path.startswith(f"{section}.")]


def _table(section: str, infos: list[PathInfo]) -> str:
    return _rows(f"## `{section}`\n\n", infos[1:] or infos)


def _rows(title: str, infos: Iterable[PathInfo]) -> str:
    rows = [
        f"| `{info.path}` | {info.data_class} | {_type(info)} | {_rule(info)} | {_forms(info)} |"
        for info in infos
    ]
    return (
        title + "\n".join(["| path | class | type | rule | forms |", "|---|---|---|---|---|", *rows]) + "\n"
    )


def _type(info: PathInfo) -> str:
    return f"{info.type}, in each item" if info.in_list else info.type


def _rule(info: PathInfo) -> str:
    if info.data_class is DataClass.C:
        return f"{info.rule}; dropped"
    return info.rule


def _forms(info: PathInfo) -> str:
    return ", ".join(f"`{form}`" for form in forms_with(info.path))


def _rule_of(annotated: object) -> str:
    return str(getattr(annotated, "__metadata__")[-1].rule)  # noqa: B009 (mypy knows no such attribute)


if __name__ == "__main__":
    sys.stdout.write(reference_page())
