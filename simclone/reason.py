"""What a reason of a refusal is: its code and sentence, what would help, whom it refuses, rule and codes of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from simclone.errors import Fault, InvalidInput, UnknownName


class Meaning(StrEnum):
    """Whether more of something would have helped, or something else stands in the way."""

    TOO_LITTLE = "too little"
    NOT_ALLOWED = "not allowed"


class Extent(StrEnum):
    """What a refusal ends: one clone, or the whole call."""

    CLONE = "one clone"
    CALL = "the whole call"


class Subject(StrEnum):
    """What a refusal is about, so that one knows what to change."""

    HOST = "host"
    PLACE = "place"
    NETWORK = "network"
    ADDRESS = "address"
    STORAGE = "storage"
    IMAGE = "image"
    AFFINITY = "affinity"
    QUOTA = "quota"
    VM = "vm"
    VOLUME = "volume"
    REQUEST = "request"
    INJECTED = "injected fault"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused.

    *code* is the short constant that tables, logs and tests show (``host.memory``), *sentence* says it to a person,
    *page* names the page of rules it follows from. *key* is the limit of a quota or the step of an injected fault.
    *api_codes* are the codes that an error of the API may have for it (rules/errors.md#reasons).
    """

    code: str
    sentence: str
    subject: Subject
    meaning: Meaning = Meaning.NOT_ALLOWED
    extent: Extent = Extent.CLONE
    page: str = ""
    key: str = ""
    api_codes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.code

    @property
    def too_little(self) -> bool:
        """True where more capacity would have helped."""
        return self.meaning is Meaning.TOO_LITTLE


REASONS: dict[str, Reason] = {}
"""Every reason that is loaded, by its code."""


def declare(reason: Reason) -> Reason:
    """Make a reason known; raises InvalidInput for a code that stands for another reason already."""
    known = REASONS.setdefault(reason.code, reason)
    if known != reason:
        raise InvalidInput(
            [Fault(f"reason {reason.code}", f"stands for {known.sentence!r} already", "a code of its own")]
        )
    return reason


def reason_of(code: str) -> Reason:
    """The reason with a code; raises UnknownName for one that nobody declared."""
    reason = REASONS.get(code)
    if reason is None:
        raise UnknownName("reason", code, REASONS)
    return reason


NO_AVAILABLE_HOST, OPERATION_ERROR, INTERNAL_ERROR = "HOST_ALLOCATION.1000", "SYS.1006", "SYS.1000"
INVALID_ARGUMENT, QUOTA_EXCEEDING, NO_ADDRESS = "SYS.1007", "ID.1003", "L3.1000"
SEARCH, OPERATION = (NO_AVAILABLE_HOST,), (OPERATION_ERROR,)
SEARCH_OR_OPERATION = (*SEARCH, *OPERATION)
"""The filters leave no host; or something else fails, such as the reservation on each host they leave."""

PAGES: Mapping[Subject, str] = {
    Subject.HOST: "host-filters#state",
    Subject.PLACE: "host-filters#designated",
    Subject.AFFINITY: "affinity#evaluation",
    Subject.NETWORK: "networks#cards",
    Subject.ADDRESS: "networks#strategies",
    Subject.STORAGE: "primary-storage#main-filter",
    Subject.IMAGE: "primary-storage#backup-types",
    Subject.QUOTA: "quotas#limits",
    Subject.REQUEST: "clone-call#checks",
    Subject.VM: "states#vm",
    Subject.VOLUME: "states#volume",
}
"""Where the rules about a subject begin."""
LITTLE_PAGES: Mapping[Subject, str] = {
    **PAGES,
    Subject.HOST: "host-capacity#filter",
    Subject.STORAGE: "primary-storage#capacity",
}
"""Where it says how much is enough."""
API_CODES: Mapping[Subject, tuple[str, ...]] = {
    Subject.HOST: SEARCH,
    Subject.PLACE: SEARCH,
    Subject.AFFINITY: SEARCH,
    Subject.NETWORK: OPERATION,
    Subject.ADDRESS: (NO_ADDRESS,),
    Subject.STORAGE: OPERATION,
    Subject.IMAGE: OPERATION,
    Subject.QUOTA: (QUOTA_EXCEEDING,),
    Subject.REQUEST: (INVALID_ARGUMENT,),
    Subject.VM: (OPERATION_ERROR, "VM.1008", "VM.1010"),
    Subject.VOLUME: OPERATION,
}
"""What the API's error says about a subject, unless the reason says otherwise."""


Codes = tuple[str, ...] | None


def declare_shortage(code: str, sentence: str, subject: Subject, rule: str = "", codes: Codes = None) -> Reason:
    """A reason that more capacity would take away; *rule* is ``PAGE#ANCHOR``, *codes* are those of the API."""
    return _reason(code, sentence, subject, rule or LITTLE_PAGES[subject], codes, meaning=Meaning.TOO_LITTLE)


def declare_ban(code: str, sentence: str, subject: Subject, rule: str = "", codes: Codes = None) -> Reason:
    """A reason that capacity does not help against."""
    return _reason(code, sentence, subject, rule or PAGES[subject], codes)


def declare_call_refusal(
    code: str,
    sentence: str,
    subject: Subject = Subject.REQUEST,
    rule: str = "",
    codes: Codes = None,
) -> Reason:
    """A reason that refuses the whole call."""
    return _reason(code, sentence, subject, rule or PAGES[subject], codes, extent=Extent.CALL)


def _reason(
    code: str,
    sentence: str,
    subject: Subject,
    rule: str,
    codes: Codes,
    meaning: Meaning = Meaning.NOT_ALLOWED,
    extent: Extent = Extent.CLONE,
) -> Reason:
    api_codes = API_CODES[subject] if codes is None else codes
    return declare(Reason(code, sentence, subject, meaning, extent, page_of(rule), api_codes=api_codes))


def page_of(rule: str) -> str:
    """The citation of a rule written as ``PAGE#ANCHOR``."""
    page, _, anchor = rule.partition("#")
    return f"rules/{page}.md#{anchor}"
