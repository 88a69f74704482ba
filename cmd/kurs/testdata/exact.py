#!/usr/bin/env python3
"""Recomputes conversions in exact arithmetic, and shares no code with kurs.

    exact.py eurofxref-hist.csv conversions.csv

The first file is the European Central Bank's. The second has the columns
unit,to,time,amount and what kurs made of them: rate,rate_time,source,base; empty
where it had no rate. Every line is computed again, with fractions alone:

* A rate of a day is as of 16:00 in Berlin. For a price the newest one counts that
  is not after it, and not older than 7 days.
* EUR->X is as published, X->EUR is 1/rate, X->Y is rate(Y)/rate(X), each leg the
  newest of its own; the time is that of the older leg.
* The rate is rounded once to 15 significant digits, half to even; then
  amount x factor x rate once more.

It prints how many lines there were and what differs, and ends with 1 where
anything does.
"""
import bisect
import datetime
import sys
from fractions import Fraction

UNITS = {"GBp": ("GBP", Fraction(1, 100)), "ZAc": ("ZAR", Fraction(1, 100)), "ILA": ("ILS", Fraction(1, 100))}
WEEK = 7 * 86400 * 10**9
EPOCH = datetime.date(1970, 1, 1)


def last_sunday(year, month):
    """Of March and October, which have 31 days."""
    day = datetime.date(year, month, 31)
    return day - datetime.timedelta(days=(day.weekday() + 1) % 7)


def published(day):
    """16:00 in Berlin of a day, in Unix nanoseconds: 14:00 UTC in summer, else 15:00."""
    summer = last_sunday(day.year, 3) <= day < last_sunday(day.year, 10)
    return ((day - EPOCH).days * 86400 + (14 if summer else 15) * 3600) * 10**9


def nanoseconds(text):
    """A time as 2026-11-24T09:15:04.123456789Z."""
    date, clock = text.removesuffix("Z").split("T")
    whole, _, part = clock.partition(".")
    hours, minutes, seconds = (int(x) for x in whole.split(":"))
    days = (datetime.date.fromisoformat(date) - EPOCH).days
    return (days * 86400 + hours * 3600 + minutes * 60 + seconds) * 10**9 + int((part or "0").ljust(9, "0"))


def read(path):
    """The lists of times and of rates of each currency, in the order of time."""
    days = []
    with open(path, encoding="utf-8") as file:
        head = [x.strip() for x in file.readline().split(",")]
        for line in file:
            parts = [x.strip() for x in line.split(",")]
            days.append((datetime.date.fromisoformat(parts[0]), parts))
    days.sort(key=lambda day: day[0])
    rates = {}
    for day, parts in days:
        for currency, text in zip(head[1:], parts[1:]):
            if currency and text not in ("", "N/A"):
                times, values = rates.setdefault(currency, ([], []))
                times.append(published(day))
                values.append(Fraction(text))
    return rates


def as_of(rates, currency, at):
    times, values = rates.get(currency, ([], []))
    i = bisect.bisect_right(times, at) - 1
    if i < 0 or at - times[i] > WEEK:
        return None
    return times[i], values[i]


def rounded(value):
    """To 15 significant digits, half to even."""
    if value == 0:
        return value
    sign, value, exponent = (-1 if value < 0 else 1), abs(value), 0
    while value >= 10**15:
        value, exponent = value / 10, exponent + 1
    while value < 10**14:
        value, exponent = value * 10, exponent - 1
    whole, rest = divmod(value.numerator, value.denominator)
    if 2 * rest > value.denominator or 2 * rest == value.denominator and whole % 2 == 1:
        whole += 1
    return sign * whole * Fraction(10) ** exponent


def rate_of(rates, a, b, at):
    """What one a is in b: the exact rate, its time, and how it was found."""
    if a == "EUR":
        leg = as_of(rates, b, at)
        return leg and (leg[1], leg[0], "ecb")
    first = as_of(rates, a, at)
    if b == "EUR":
        return first and (1 / first[1], first[0], "ecb inverse")
    second = as_of(rates, b, at)
    if not first or not second:
        return None
    return second[1] / first[1], min(first[0], second[0]), "ecb via EUR"


def computed(rates, unit, to, time, amount):
    currency, factor = UNITS.get(unit, (unit, Fraction(1)))
    found = rate_of(rates, currency, to, nanoseconds(time))
    if not found:
        return None
    rate = rounded(found[0])
    return rate, found[1], found[2], rounded(Fraction(amount) * factor * rate)


def main(history, conversions):
    rates = read(history)
    lines = missing = differences = 0
    with open(conversions, encoding="utf-8") as file:
        for line in file:
            lines += 1
            unit, to, time, amount, rate, rate_time, source, base = line.rstrip("\n").split(",")
            want = computed(rates, unit, to, time, amount)
            got = None
            if rate:
                got = Fraction(rate), nanoseconds(rate_time), source, Fraction(base)
            missing += want is None
            if got != want:
                differences += 1
                if differences <= 20:
                    print("differs:", line.rstrip("\n"), "; computed:", want)
    print(f"{lines} conversions, {missing} without a rate, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
