"""VAT numbers: how each country writes them, and check digits where they are simple. Pure.

Numbers of the EU, the United Kingdom, Norway and Switzerland, with their country's prefix (EL is Greece, XI is Northern
Ireland). Whether a number is given to anybody is not known here: only that it could be.
Sources: European Commission, VIES FAQ, structure of VAT numbers; the algorithms are those that the countries publish.
"""

import re
from collections.abc import Callable

_SEPARATORS = re.compile(r"[\s.\-/]")


def normal_form(number: str) -> str:
    """Without what people write between the digits, in capitals."""
    return _SEPARATORS.sub("", number).upper()


def objection(number: str) -> str | None:
    """Why this is no VAT number; None: it could be one."""
    text = normal_form(number)
    country = text[:2] if text[:3] != "CHE" else "CHE"
    form = _FORMS.get(country)
    if form is None:
        return f"{country or 'nothing'} is no country prefix of a VAT number that is known here"
    body = text[len(country) :]
    if re.fullmatch(form, body, re.ASCII) is None:
        return f"a VAT number of {country} does not look like this"
    check = _CHECKS.get(country)
    if check is not None and not check(body):
        return f"the check digits of this VAT number of {country} are wrong"
    return None


def _digits(text: str) -> list[int]:
    return [int(letter) for letter in text]


def _weighted(text: str, weights: tuple[int, ...]) -> int:
    return sum(digit * weight for digit, weight in zip(_digits(text[: len(weights)]), weights, strict=True))


def _luhn(text: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(_digits(text))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _austria(body: str) -> bool:
    digits = _digits(body[1:])
    total = 0
    for place, digit in enumerate(digits[:7]):
        doubled = digit * 2 if place % 2 else digit
        total += doubled // 10 + doubled % 10
    return (96 - total) % 10 == digits[7]


def _belgium(body: str) -> bool:
    return 97 - int(body[:8]) % 97 == int(body[8:])


def _germany(body: str) -> bool:
    product = 10
    for digit in _digits(body[:8]):
        total = (digit + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(body[8])


def _denmark(body: str) -> bool:
    return _weighted(body, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _finland(body: str) -> bool:
    rest = _weighted(body, (7, 9, 10, 5, 8, 4, 2)) % 11
    return rest != 1 and (11 - rest) % 11 == int(body[7])


def _france(body: str) -> bool:
    if not body.isdigit():
        return True  # the newer keys with letters are not checked
    return (12 + 3 * (int(body[2:]) % 97)) % 97 == int(body[:2])


def _luxembourg(body: str) -> bool:
    return int(body[:6]) % 89 == int(body[6:])


def _netherlands(body: str) -> bool:
    number = "".join(str(ord(letter) - 55) if letter.isalpha() else letter for letter in f"NL{body}")
    if int(number) % 97 == 1:  # since 2020, of the self-employed
        return True
    return _weighted(body[:8], (9, 8, 7, 6, 5, 4, 3, 2)) % 11 == int(body[8])


def _norway(body: str) -> bool:
    rest = 11 - _weighted(body, (3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return rest % 11 == int(body[8])


def _poland(body: str) -> bool:
    return _weighted(body, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(body[9])


def _portugal(body: str) -> bool:
    rest = 11 - _weighted(body, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest > 9 else rest) == int(body[8])


def _slovenia(body: str) -> bool:
    rest = 11 - _weighted(body, (8, 7, 6, 5, 4, 3, 2)) % 11
    return rest != 11 and rest % 10 == int(body[7])


def _sweden(body: str) -> bool:
    return _luhn(body[:10])


def _switzerland(body: str) -> bool:
    return (11 - _weighted(body, (5, 4, 3, 2, 7, 6, 5, 4)) % 11) % 11 == int(body[8])


_FORMS: dict[str, str] = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CHE": r"\d{9}(MWST|TVA|IVA)?",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z]\d{7}[A-Z]|[A-Z]\d{8}|\d{8}[A-Z]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "GB": r"\d{9}|\d{12}|GD\d{3}|HA\d{3}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W]",
    "IT": r"\d{11}",
    "LT": r"\d{9}|\d{12}",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "NO": r"\d{9}(MVA)?",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{10}01",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"\d{9}|\d{12}|GD\d{3}|HA\d{3}",
}
_CHECKS: dict[str, Callable[[str], bool]] = {
    "AT": _austria,
    "BE": _belgium,
    "CHE": _switzerland,
    "DE": _germany,
    "DK": _denmark,
    "FI": _finland,
    "FR": _france,
    "IT": _luhn,
    "LU": _luxembourg,
    "NL": _netherlands,
    "NO": _norway,
    "PL": _poland,
    "PT": _portugal,
    "SE": _sweden,
    "SI": _slovenia,
    "SK": lambda body: int(body) % 11 == 0,
}
