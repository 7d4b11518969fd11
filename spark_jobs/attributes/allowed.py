"""What is never inferred about a person, and which categories of goods say too much of one to be looked at.

Refused are the special categories of the GDPR (article 9: health, religion, ethnic origin, sexual life, political
opinion, union membership), what courts and convictions say (article 10), and whatever speaks of minors. The words are
English; a contract's class `sensitive` refuses a column whatever it is called.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from huaxiang.errors import BadConfiguration

_ATTRIBUTES = {
    "health": ("health", "disease", "illness", "disab", "medic", "pregnan", "diagnos", "biometric", "genetic"),
    "religion or belief": ("relig", "faith", "church", "belief", "denomination"),
    "ethnic origin": ("ethnic", "race", "racial", "nationality", "native", "skin", "birthplace", "country_of_birth"),
    "sexual life": ("sex", "gender_identity", "orientation"),
    "political opinion": ("politic", "party", "vote", "voter", "union"),
    "convictions": ("crime", "criminal", "convict"),
    # The make-up of a household says whether there are children in it, so it speaks of them too.
    "minors": ("child", "kid", "minor", "baby", "infant", "household_type", "family_type"),
}

# Parts of a category's name. Health, alcohol, tobacco, babies, intimate goods; and what points at religion or origin.
_CATEGORIES = {
    "health": (
        "HEALTH", "MEDIC", "PHARM", "COLD AND FLU", "ANALG", "ANTACID", "LAXAT", "VITAMIN", "DIET", "SINUS", "ALLERG",
        "FIRST AID", "EYE AND EAR", "GLASSES", "FOOT CARE", "FITNESS", "INCONTINEN", "HBC", "SUPPLEMENT",
    ),
    "intimacy": ("FAMILY PLANNING", "FEMININE", "CONDOM", "CONTRACEPT"),
    "alcohol": ("BEER", "ALES", "WINE", "LIQUOR", "SPIRITS", "ALCOHOL"),
    "tobacco": ("CIGAR", "TOBACCO", "SMOKING", "VAPE"),
    "gambling": ("LOTTERY", "TICKET", "BETTING"),
    "minors": ("BABY", "BABIES", "INFANT", "DIAPER", "TOY", "SCHOOL", "KIDS", "CHILD"),
    "religion or origin": (
        "KOSHER", "HALAL", "HISPANIC", "ETHNIC", "CHRISTMAS", "EASTER", "RAMADAN", "HANUKKAH", "ASIAN", "MEXICAN",
    ),
}  # fmt: skip
# Collective names: that somebody bought of them says nothing.
_SAY_NOTHING = r"^MISC|COUPON|NON EDIBLE|BOTTLE DEPOSIT|UNKNOWN"


def refusal(attribute: str, sensitive: Collection[str] = ()) -> str | None:
    """Why an attribute is never inferred, or None where it may be tried. `sensitive` are columns of that class."""
    if attribute in sensitive:
        return "its contract calls it sensitive"
    parts = re.sub(r"[^a-z]+", "_", attribute.lower())
    for subject, words in _ATTRIBUTES.items():
        if any(re.search(rf"(^|_){word}", parts) for word in words):
            return f"it speaks of {subject}"
    return None


def require(attributes: Iterable[str], sensitive: Collection[str] = ()) -> None:
    """Raise BadConfiguration naming the first attribute that is never inferred, and why."""
    for attribute in attributes:
        reason = refusal(attribute, sensitive)
        if reason:
            raise BadConfiguration(
                f"attributes: '{attribute}' is never inferred, since {reason}: take it out of `attributes` in "
                "spark_jobs/attributes/params.py; what customers declare of it stays a fact"
            )


def excluded(category: str) -> str | None:
    """Why purchases of a category are not looked at, or None where they are."""
    name = category.upper()
    for subject, words in _CATEGORIES.items():
        if any(re.search(rf"\b{re.escape(word)}", name) for word in words):
            return subject
    return "a collective name" if re.search(_SAY_NOTHING, name) else None
