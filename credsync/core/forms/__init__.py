"""The forms a therapist submits: sign-up, Credentialing Application (CA), Attestation Form (AF).

Typed models are the single source: of what is valid, of each field's class of data, of the paths a mapping may name and
of the reference page (docs/fields.md). `check_form` is the door: it refuses with every fault named, or gives what may
be kept. Sensitive data (class C) leaves it as flags only; class D never enters.
"""

from credsync.core.forms.application import SECTIONS, FormName
from credsync.core.forms.catalogue import PathInfo, paths
from credsync.core.forms.check import CheckedForm, check_form
from credsync.core.forms.custom import CustomField, CustomType
from credsync.core.forms.faults import CODES, Fault, FormFaults
from credsync.core.forms.fields import DataClass, FieldType
from credsync.core.forms.forbidden import is_forbidden
from credsync.core.forms.spelling import nearest

__all__ = [
    "CODES",
    "SECTIONS",
    "CheckedForm",
    "CustomField",
    "CustomType",
    "DataClass",
    "Fault",
    "FieldType",
    "FormFaults",
    "FormName",
    "PathInfo",
    "check_form",
    "is_forbidden",
    "nearest",
    "paths",
]
