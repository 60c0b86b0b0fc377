"""Recompute the gold answers of the sample word problems.

Every function in ``CHECKS`` derives the answer of one word problem from the numbers in its
question and returns it as a string. A key names the data set, the split and the index of the
row. ``UNCHECKED`` lists the problems without a check, each with the reason.
"""

from fractions import Fraction
from itertools import count

from tests.sample_checks import Check, registrar

CHECKS: dict[str, Check] = {}
UNCHECKED: dict[str, str] = {}
check = registrar(CHECKS)


@check("gsm8k/train/0")
def pencils_left() -> str:
    """Fill the boxes and give some pencils away."""
    return str(6 * 8 - 10)


@check("gsm8k/train/1")
def bakery_takings() -> str:
    """Add the takings of both goods."""
    return str(14 * 3 + 9 * 5)


@check("gsm8k/train/2")
def pages_read() -> str:
    """Add up the days of two weeks."""
    week = [15] * 5 + [25] * 2
    return str(sum(week * 2))


@check("gsm8k/train/3")
def longer_piece() -> str:
    """Search for the length of the shorter piece."""
    (longer,) = [2 * n for n in range(1, 90) if n + 2 * n == 90]
    return str(longer)


@check("gsm8k/train/4")
def stickers_kept() -> str:
    """Take the two shares off in turn."""
    return str(160 * (1 - Fraction(1, 4)) * (1 - Fraction(1, 3)))


@check("gsm8k/train/5")
def bus_passengers() -> str:
    """Follow the bus from stop to stop."""
    return str(Fraction(23 - 8 + 5, 2))


@check("gsm8k/train/6")
def pool_filling() -> str:
    """Fill the pool minute by minute."""
    return str(next(minute for minute in count(1) if minute * 80 - minute * 20 >= 2400))


@check("gsm8k/train/7")
def jackets_on_sale() -> str:
    """Take the discount off the price of three jackets."""
    return str(3 * 75 * (1 - Fraction(20, 100)))


@check("gsm8k/train/8")
def rolls() -> str:
    """Count the rolls bag by bag."""
    return str(sum(9 for _ in range(7)) + 5)


@check("gsm8k/train/9")
def pages_left() -> str:
    """Take each day's pages off the book."""
    return str(240 - sum([30] * 5))


@check("gsm8k/train/10")
def share_of_the_bill() -> str:
    """Search for the share that pays the bill."""
    (share,) = [n for n in range(100) if 4 * n == 36 + 4]
    return str(share)


@check("gsm8k/train/11")
def free_seats() -> str:
    """Take the taken seats off those of all cars."""
    return str(8 * 50 - 310)


@check("gsm8k/test/0")
def apples() -> str:
    """Add the apples."""
    return str(7 + 5)


@check("gsm8k/test/1")
def birds() -> str:
    """Take away the birds that leave."""
    return str(23 - 8)


@check("gsm8k/test/2")
def eggs_in_cartons() -> str:
    """Add the cartons."""
    return str(sum([6] * 4))


@check("gsm8k/test/3")
def cookies() -> str:
    """Share the cookies."""
    return str(Fraction(18, 3))


@check("gsm8k/test/4")
def balloons() -> str:
    """Add the balloons and take away the popped ones."""
    return str(9 + 4 - 3)


@check("gsm8k/test/5")
def change() -> str:
    """Take the cost off the bill."""
    return str(20 - 8 * 2)


@check("gsm8k/test/6")
def eggs_left() -> str:
    """Take the eggs used off the eggs laid."""
    return str(5 * 3 - 4)


@check("gsm8k/test/7")
def ages() -> str:
    """Add the two ages."""
    return str(12 + (12 - 4))


@check("gsm8k/test/8")
def ribbon() -> str:
    """Divide the ribbon."""
    return str(Fraction(36, 4))


@check("gsm8k/test/9")
def chairs() -> str:
    """Add the rows and the chairs by the door."""
    return str(5 * 6 + 3)


@check("gsm8k/test/10")
def tomatoes() -> str:
    """Count the tomatoes and take away the eaten ones."""
    return str(12 * 9 * 6 - 48)


@check("gsm8k/test/11")
def weekly_pay() -> str:
    """Add the pay hour by hour."""
    hours = range(1, 47)
    return str(sum(Fraction(14) if hour <= 40 else 14 * Fraction(3, 2) for hour in hours))


@check("gsm8k/test/12")
def budget_left() -> str:
    """Take both purchases off the budget."""
    return str(200 - 8 * 12 - 15 * 4)


@check("gsm8k/test/13")
def distance_cycled() -> str:
    """Add the distances of the two rides."""
    return str(18 * Fraction(5, 2) + 16 * 3)


@check("gsm8k/test/14")
def tetras() -> str:
    """Take the shares of the other kinds off in turn."""
    return str(45 * (1 - Fraction(40, 100)) * (1 - Fraction(1, 3)))


@check("gsm8k/test/15")
def theater_takings() -> str:
    """Add the takings ticket by ticket."""
    return str(sum(6 if ticket < 90 else 11 for ticket in range(250)))


@check("gsm8k/test/16")
def tent_savings() -> str:
    """Search for the smallest of the three savings."""
    (savings,) = [2 * 3 * n for n in range(1, 240) if 2 * 3 * n + 3 * n + n == 240]
    return str(savings)


@check("gsm8k/test/17")
def printing_time() -> str:
    """Add the printing time and the stops."""
    return str(Fraction(48 * 30, 24) + 2 * 4)


@check("gsm8k/test/18")
def phone_bill() -> str:
    """Add the price of the extra messages."""
    return str(25 + (340 - 200) * Fraction(10, 100))


@check("gsm8k/test/19")
def water_jugs() -> str:
    """Divide the water drunk by the size of a jug."""
    return str(Fraction(12 * 4 * 250, 3 * 1000))
