"""Units: their words, their signs, and what one of them is worth in others. Data, and the scale of a unit."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from functools import lru_cache

_TABLE = """
m    |              | meter meters metre metres
mm   | 1/1000*m     | millimeter millimeters millimetre millimetres
cm   | 1/100*m      | centimeter centimeters centimetre centimetres
km   | 1000*m       | kilometer kilometers kilometre kilometres
nm   | 1/1000000000*m | nanometer nanometers nanometre nanometres
in   | 127/5000*m   | inch inches
ft   | 381/1250*m   | foot feet
yd   | 1143/1250*m  | yard yards
mi   | 201168/125*m | mile miles
g    |              | gram grams
mg   | 1/1000*g     | milligram milligrams
kg   | 1000*g       | kilogram kilograms kilo kilos
oz   | 45359237/1600000*g | ounce ounces
lb   | 45359237/100000*g  | pound pounds | lbs
amu  |              | daltons | u
L    | 1/1000*m^3   | liter liters litre litres | l
mL   | 1/1000000*m^3 | milliliter milliliters millilitre millilitres | ml
gal  | 473176473/125000000*L | gallon gallons
s    |              | second seconds | sec
ms   | 1/1000*s     | millisecond milliseconds
min  | 60*s         | minute minutes
h    | 3600*s       | hour hours | hr hrs
days | 86400*s      | day
weeks | 604800*s    | week
years |             | year | yr yrs
mph  | mi/h         |
rad  |              | radian radians
N    | 1000*g*m/s^2 | newton newtons
kN   | 1000*N       | kilonewtons
J    | N*m          | joule joules
kJ   | 1000*J       | kilojoules
cal  | 523/125*J    | calories
kcal | 1000*cal     | kilocalories
eV   |              | electronvolts
W    | J/s          | watt watts
kW   | 1000*W       | kilowatt kilowatts
MW   | 1000000*W    | megawatts
Pa   | N/m^2        | pascal pascals
kPa  | 1000*Pa      | kilopascals
atm  | 101325*Pa    | atmospheres
A    |              | ampere amperes amps
C    | A*s          | coulomb coulombs
ohm  | V/A          | ohms
V    | W/A          | volt volts
K    |              | kelvin kelvins
Hz   | 1/s          | hertz
kHz  | 1000*Hz      | kilohertz
MHz  | 1000000*Hz   | megahertz
GHz  | 1000000000*Hz | gigahertz
THz  | 1000000000000*Hz | terahertz
Å    | 1/10000000000*m | angstrom angstroms
mol  |              | mole moles
%    | 1/100*1      | percent pct
$    |              | dollar dollars | USD
cents | 1/100*$     | cent
€    |              | euro euros | EUR
£    |              | sterling | GBP
pence | 1/100*£     |
rub  |              | ruble rubles roubles
celsius |          |
fahrenheit |       |
°    |              | degree degrees | deg
"""
"""Of each unit its sign, its value, its words, and other signs."""
_ROWS = [[cell.strip() for cell in line.split("|")] + [""] for line in _TABLE.strip().splitlines()]
_VALUES = {row[0]: row[1] for row in _ROWS}
_WORDS = {row[0]: [*row[2].split(), f"unit_{row[0]}"] for row in _ROWS}
_SIGNS_THAT_ARE_WORDS = "mm cm km mg kg min mph days years weeks cents pence celsius fahrenheit".split()

UNITS = {
    **{word: sign for sign, words in _WORDS.items() for word in words},
    **{sign: sign for sign in _SIGNS_THAT_ARE_WORDS},
    **dict.fromkeys("unit units square cubic".split(), ""),
}
"""Words of units with their signs; "" where the word changes nothing by itself."""
UNIT_SIGNS = {
    sign: _WORDS[row[0]][0]
    for row in _ROWS
    for sign in [row[0], *row[3].split(), *row[2].split()]
    if sign.isalpha()
}
"""Signs of units, which are such only in text behind a number, 5\\text{ m}, with a word of each."""

_FACTOR = re.compile(r"([*/]?)\s*(\d+(?:/\d+)?|[^*/^\d]+)(?:\^(-?\d+))?")
_MOST_FACTORS = 12
Scale = tuple[Fraction, tuple[tuple[str, int], ...]]


@lru_cache(maxsize=512)
def scale(unit: str) -> Scale | None:
    """(factor, base units with their powers) of a unit such as "km/h"; None for what is no unit of the table.

    >>> scale("km/h")
    (Fraction(5, 18), (('m', 1), ('s', -1)))
    """
    factor, powers = Fraction(1), Counter[str]()
    found = list(_FACTOR.finditer(unit))
    if "".join(m[0] for m in found) != unit or len(found) > _MOST_FACTORS:
        return None
    for sign, name, power in (m.groups() for m in found):
        exponent = int(power or 1) * (-1 if sign == "/" else 1)
        one = _scale_of(name)
        if one is None or (one[1] and abs(exponent) > 9):
            return None
        factor *= one[0] ** exponent
        powers.update({base: n * exponent for base, n in one[1]})
    return factor, tuple(sorted((base, n) for base, n in powers.items() if n))


def _scale_of(name: str) -> Scale | None:
    """Of one number or unit of the table."""
    if name[0].isdigit():
        return Fraction(name), ()
    if name not in _VALUES:
        return None
    if not _VALUES[name]:
        return Fraction(1), ((name, 1),)
    below = scale(_VALUES[name])
    assert below is not None, f"{name} is made of no known units"
    return below
