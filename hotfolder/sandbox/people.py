"""Customers who do not exist: the same number and seed always make the same one.

Names carry what real ones carry: accents, ligatures, apostrophes, an ampersand,
markup that somebody typed, and scripts that neither WinAnsi nor EBCDIC 500 can
print. Telephone-book words only; no real person is meant.
"""

from __future__ import annotations

from dataclasses import dataclass

from hotfolder.sandbox.draw import Draw

# (as written, as a Latin-1 printer writes it)
_NAMES: tuple[tuple[str, str], ...] = (
    ("Olga Weiß", "Olga Weiß"),
    ("Jean-Luc Père", "Jean-Luc Père"),
    ("José Ñuñez", "José Ñuñez"),
    ("Siobhán O'Brien", "Siobhán O'Brien"),
    ("Márta Kővári", "Marta Kovari"),
    ("Łukasz Żółć", "Lukasz Zolc"),
    ("Þórunn Æsa Jónsdóttir", "Þórunn Æsa Jónsdóttir"),
    ("João da Conceição", "João da Conceição"),
    ("Ayşe Güneş", "Ayse Günes"),
    ("Björn Ångström", "Björn Ångström"),
    ("王小明", "Wang Xiaoming"),
    ("鈴木 花子", "Suzuki Hanako"),
    ("김민준", "Kim Min-jun"),
    ("Ελένη Παππά", "Eleni Pappa"),
    ("Smith & Sons Ltd", "Smith & Sons Ltd"),
    ("Ann <b>Bold</b> Marsh", "Ann <b>Bold</b> Marsh"),
    ("Thomas Baker", "Thomas Baker"),
    ("Priya Raman", "Priya Raman"),
    ("Grace Adeyemi", "Grace Adeyemi"),
    ("Peter van der Meer", "Peter van der Meer"),
    ("Zoë Müller-Lüdenscheidt", "Zoë Müller-Lüdenscheidt"),
    ("François d'Arcy", "François d'Arcy"),
    ("Ivan Horvat", "Ivan Horvat"),
    ("Mary Ann Whitfield", "Mary Ann Whitfield"),
)
_STREETS = (
    "Mill Lane",
    "Rue des Érables",
    "Königstraße",
    "Calle Peñón",
    "Harbour Road",
    "Via San Gallo",
    "Østergade",
    "Church Street",
)
_PLACES = (
    ("Norwich", "NR2 4SF", "GB", "en"),
    ("Québec", "G1R 4P5", "CA", "fr"),
    ("Tübingen", "72070", "DE", "de"),
    ("Logroño", "26001", "ES", "es"),
    ("Springfield", "62704", "US", "en"),
    ("Århus", "8000", "DK", "da"),
)
_SEGMENTS = ("retail", "premier", "business")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One fictitious customer. ``printed_name`` is ``name`` in Latin-1."""

    customer_id: str
    name: str
    printed_name: str
    address: tuple[str, ...]
    account_number: str
    policy_number: str
    country: str
    language: str
    segment: str


def make_customer(seed: int, number: int) -> Customer:
    """The customer with this number; another number is another ``customer_id``."""
    draw = Draw("customer", seed, number)
    name, printed = _NAMES[number % len(_NAMES)] if number < len(_NAMES) else draw.pick(_NAMES)
    town, code, country, language = draw.pick(_PLACES)
    return Customer(
        customer_id=f"C{100000 + number:07d}",
        name=name,
        printed_name=printed,
        address=(f"{1 + draw.below(240)} {draw.pick(_STREETS)}", f"{code} {town}", country),
        account_number=f"{draw.digits(4)}-{draw.digits(4)}-{number % 100:02d}",
        policy_number=f"POL-{draw.digits(4)}-{draw.digits(5)}",
        country=country,
        language=language,
        segment=draw.pick(_SEGMENTS),
    )
